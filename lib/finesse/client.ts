import axios from 'axios';
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock';
import { TelephonyError } from '../errors';
import { hasCa, httpAgents } from '../http-out/agents';
import type { HttpAgents } from '../http-out/agents';
import { transportFailure } from '../http-out/failures';
import { webAddress } from '../web-address';
import { readDialogs } from './dialogs';
import { badSettings, finesseError, tlsError, unreachableError } from './errors';
import type { DialogList, FinesseAgent, FinesseClient, FinesseUser } from './types';
import { child, escaped, readXml, textIn } from './xml';
import type { XmlElement } from './xml';

export interface FinesseClientOptions {
  /** Of the config node, for texts. */
  readonly name: string;
  /** `https://finesse.example.com:8445` */
  readonly address: string;
  /** PEM of an authority to trust beside the built-in ones. */
  readonly ca?: string;
  readonly clock: Clock;
}

/** From the first byte sent to the last one received. */
const TIMEOUT_MS = 5000;
const CONNECT_MS = 3000;
/** The calls of one agent take a few KiB. */
const MAX_BODY_BYTES = 512 * 1024;
const MAX_WORDS = 200;

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/finesse/api/`. */
  readonly path: string;
  readonly agent?: FinesseAgent;
  readonly body?: string;
}

interface Answer {
  readonly root: XmlElement | undefined;
  readonly servedAt?: number;
}

/** Basic authorization sends the password with every request: never over plain HTTP to another machine. */
function isSafe(url: URL): boolean {
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere);
}

function originOf({ name, address }: FinesseClientOptions): string {
  const url = webAddress(address);
  if (!url || !isSafe(url) || url.pathname !== '/') {
    throw badSettings(name, {
      en: 'Address: write https://, the name of the server and the port, nothing more, for instance https://finesse.example.com:8445. Plain http:// would show the passwords of the agents to the network.',
      ru: 'Адрес: напишите https://, имя сервера и порт, больше ничего, например https://finesse.example.com:8445. По http:// пароли операторов были бы видны в сети.',
    });
  }
  return url.origin;
}

function checkCa(name: string, ca: string | undefined): void {
  try {
    if (hasCa(ca)) new X509Certificate(ca);
  } catch {
    throw badSettings(name, {
      en: 'TLS: the CA certificate of the chosen configuration is none.',
      ru: 'TLS: в выбранной конфигурации вместо сертификата CA что-то другое.',
    });
  }
}

/** What Finesse says of a refusal, on one line and without the password that the request carried. */
function wordsOf(answer: XmlElement | undefined, text: string, agent: FinesseAgent | undefined): string {
  const error = child(answer, 'ApiError');
  const parts = ['ErrorType', 'ErrorMessage', 'ErrorData'].map((name) => textIn(error, name)).filter(Boolean);
  const words = parts.length > 0 ? parts.join(', ') : text.slice(0, 10_000).replace(/<[^>]*>/g, ' ');
  const secrets = agent === undefined ? [] : [basic(agent), agent.password].filter((secret) => secret !== '');
  const line = secrets
    .reduce((rest, secret) => rest.replaceAll(secret, '…'), words)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS)}…` : line || '—';
}

/** A version that wants credentials for its state is there all the same. */
function allowRefusal(thrown: unknown): Answer {
  const status = thrown instanceof TelephonyError ? thrown.params.status : undefined;
  if (status !== 401 && status !== 403) throw thrown;
  return { root: undefined };
}

const basic = ({ login, password }: FinesseAgent): string =>
  Buffer.from(`${login}:${password}`, 'utf8').toString('base64');

const userPath = ({ login }: FinesseAgent): string => `User/${encodeURIComponent(login)}`;

class Client implements FinesseClient {
  readonly host: string;
  private readonly agents: HttpAgents;
  private readonly closing = new AbortController();

  constructor(
    private readonly origin: string,
    private readonly options: FinesseClientOptions,
  ) {
    this.host = new URL(origin).host;
    this.agents = httpAgents({ connectMs: CONNECT_MS, ...options });
  }

  async check(): Promise<void> {
    const { root } = await this.send({ method: 'GET', path: 'SystemInfo' }).catch(allowRefusal);
    if (textIn(root, 'status') === 'OUT_OF_SERVICE') throw finesseError('FINESSE_OUT_OF_SERVICE', { host: this.host });
  }

  async user(agent: FinesseAgent): Promise<FinesseUser> {
    const { root } = await this.send({ method: 'GET', path: userPath(agent), agent });
    return { state: textIn(this.expected(root, 'User'), 'state'), extension: textIn(root, 'extension') };
  }

  async dialogs(agent: FinesseAgent): Promise<DialogList> {
    const answer = await this.send({ method: 'GET', path: `${userPath(agent)}/Dialogs`, agent });
    const dialogs = readDialogs(this.expected(answer.root, 'Dialogs'));
    return { dialogs, ...(answer.servedAt === undefined ? {} : { servedAt: answer.servedAt }) };
  }

  async makeCall(agent: FinesseAgent, to: string): Promise<void> {
    const addresses = `<fromAddress>${escaped(agent.extension)}</fromAddress><toAddress>${escaped(to)}</toAddress>`;
    const body = `<Dialog><requestedAction>MAKE_CALL</requestedAction>${addresses}</Dialog>`;
    await this.send({ method: 'POST', path: `${userPath(agent)}/Dialogs`, agent, body });
  }

  async drop(agent: FinesseAgent, dialogId: string): Promise<void> {
    const target = `<targetMediaAddress>${escaped(agent.extension)}</targetMediaAddress>`;
    const body = `<Dialog>${target}<requestedAction>DROP</requestedAction></Dialog>`;
    await this.send({ method: 'PUT', path: `Dialog/${encodeURIComponent(dialogId)}`, agent, body });
  }

  close(): void {
    this.closing.abort(finesseError('FINESSE_CLOSED'));
    this.agents.httpAgent.destroy();
    this.agents.httpsAgent.destroy();
  }

  private expected(root: XmlElement | undefined, name: string): XmlElement {
    if (root?.name !== name) throw finesseError('FINESSE_BAD_ANSWER', { host: this.host, status: 200 });
    return root;
  }

  private async send({ method, path, agent, body }: Request): Promise<Answer> {
    if (this.closing.signal.aborted) throw finesseError('FINESSE_CLOSED');
    const limit = new AbortController();
    const timer = this.options.clock.after(TIMEOUT_MS, () =>
      limit.abort(finesseError('FINESSE_TIMEOUT', { host: this.host, ms: TIMEOUT_MS })),
    );
    const signal = AbortSignal.any([this.closing.signal, limit.signal]);
    try {
      const response = await axios.request<string>({
        method,
        url: `${this.origin}/finesse/api/${path}`,
        data: body,
        headers: {
          Accept: 'application/xml',
          'User-Agent': 'node-red-asterisk',
          ...(agent === undefined ? {} : { Authorization: `Basic ${basic(agent)}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/xml' }),
        },
        signal,
        ...this.agents,
        // The password goes to the address that the admin entered and nowhere else.
        maxRedirects: 0,
        proxy: false,
        maxContentLength: MAX_BODY_BYTES,
        responseType: 'text',
        transformRequest: (data: unknown) => data,
        transformResponse: (data: unknown) => data,
        validateStatus: () => true,
      });
      const root = readXml(response.data);
      if (response.status < 200 || response.status >= 300) {
        throw this.refusal(response.status, root, response.data, agent);
      }
      const servedAt = Date.parse(String(response.headers.date));
      return { root, ...(Number.isNaN(servedAt) ? {} : { servedAt }) };
    } catch (thrown) {
      if (thrown instanceof TelephonyError) throw thrown;
      throw signal.aborted ? (signal.reason as Error) : this.broken(thrown);
    } finally {
      timer.cancel();
    }
  }

  private refusal(status: number, root: XmlElement | undefined, text: string, agent: FinesseAgent | undefined): Error {
    const { host } = this;
    const params = { host, status, login: agent?.login ?? '', words: wordsOf(root, text, agent) };
    if (status === 401 && agent !== undefined) return finesseError('FINESSE_PASSWORD', params);
    if (status === 503) return finesseError('FINESSE_OUT_OF_SERVICE', params);
    if (status >= 500) return finesseError('FINESSE_SERVER_ERROR', params);
    if (root?.name !== 'ApiErrors') return finesseError('FINESSE_BAD_ANSWER', params);
    if (status === 404) return finesseError('FINESSE_NO_USER', params);
    return finesseError('FINESSE_REFUSED', params);
  }

  /** Nothing of what axios threw is kept: it holds the request, and so the password. */
  private broken(thrown: unknown): Error {
    const failure = transportFailure(thrown);
    if (failure.kind === 'tls') return tlsError(this.host, failure.why, failure.system);
    if (failure.kind === 'unreachable') return unreachableError(this.host, failure.why, failure.system);
    return finesseError('FINESSE_BAD_ANSWER', { host: this.host, status: 200 });
  }
}

/**
 * The REST client of one Finesse. It verifies certificates, follows no redirect, goes through no proxy, and gives up what is too slow or
 * too large. Throws `FINESSE_BAD_SETTINGS` for an address or an authority that cannot be used.
 */
export function createFinesseClient(options: FinesseClientOptions): FinesseClient {
  checkCa(options.name, options.ca);
  return new Client(originOf(options), options);
}
