import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request, Response } from 'express';
import { agentError } from '../../lib/agents/errors';
import type { Desk } from '../../lib/agents/desk';
import type { FeedEvent } from '../../lib/agents/feed';
import { DEVICE_MS, SESSION_MS } from '../../lib/agents/sign-in';
import type { SignIn } from '../../lib/agents/sign-in';
import { systemClock } from '../../lib/clock';
import type { Clock } from '../../lib/clock';
import { TelephonyError, asError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';
import type { Access } from '../../lib/http-in/access';
import { readBody } from '../../lib/http-in/body';
import { AgentStreams } from './agent-streams';
import { statusOf } from './http-replies';
import type { Serve } from './http-routes';

const COOKIE = 'telephony_agent';
/** What the browser keeps of sign-ins, for those who share it: the last of so many extensions. */
const DEVICES = 'telephony_agent_devices';
const MAX_DEVICES = 8;
const BODY = { limit: 4096, mediaTypes: ['application/json'], clock: systemClock, withinMs: 10_000 };

const SCRIPTS = ['page.js', 'texts.js', 'asking.js', 'calls.js', 'queues.js', 'card.js', 'alerts.js', 'history.js'];
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  ...Object.fromEntries(SCRIPTS.map((name) => [name, 'text/javascript; charset=utf-8'])),
};

const HTTP: Readonly<Record<string, number>> = {
  AGENT_WRONG_PIN: 401,
  AGENT_BAD_LINK: 401,
  AGENT_SIGNED_OUT: 401,
  AGENT_FOREIGN_PAGE: 403,
  AGENT_NOT_YOUR_CALL: 403,
  AGENT_QUEUE_NOT_ALLOWED: 403,
  AGENT_BAD_REASON: 400,
  CONTROL_BAD_ORDER: 400,
  AGENT_BAD_REQUEST: 400,
  AGENT_WAIT: 429,
  AGENT_BUSY: 429,
  AGENT_TOO_MANY_TABS: 429,
};

export interface AgentPageOptions {
  readonly desk: Desk;
  readonly signIn: SignIn;
  readonly access: Access;
  readonly clock: Clock;
  /** Other web pages that may listen with a token. */
  readonly origins: readonly string[];
  /** Tells the messages of UserCRM of one extension, first those after `lastId`, until the function that it returns is called. */
  readonly bare: (
    extension: string,
    listener: (id: string | undefined, text: string) => void,
    lastId: string,
  ) => () => void;
  /** The calls of today of one extension, the newest first; absent: nobody keeps them. */
  readonly history?: (extension: string) => Promise<readonly unknown[]>;
  readonly nameOf: (extension: string) => string | undefined;
  /** What agents did. */
  readonly tell: (topic: string, payload: Readonly<Record<string, unknown>>) => void;
  readonly warn: (error: Error) => void;
}

type Handler = (req: Request, res: Response) => void | Promise<void>;

/** The HTTP side of one `screen-pop`: the page, its files, and what it asks. Everything it serves lies below one path. */
export class AgentPage {
  private readonly streams: AgentStreams;
  private readonly files: ReadonlyMap<string, string>;
  private readonly policy: string;

  constructor(private readonly options: AgentPageOptions) {
    this.streams = new AgentStreams(options.clock);
    const folder = join(__dirname, '..', 'agent-page');
    this.files = new Map(Object.keys(FILES).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
    this.policy = [
      "default-src 'self'",
      ["frame-src 'self'", ...options.desk.origins].join(' '),
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; ');
  }

  /** The handlers, by their paths below the page's own (empty: the page itself). */
  get routes(): ReadonlyMap<string, Serve> {
    const files = ['page.css', 'icon.svg', ...SCRIPTS].map((name) => [name, this.get(this.file(name))] as const);
    return new Map<string, Serve>([
      ['', this.get((req, res) => this.page(req, res))],
      ...files,
      ['show_vars', this.get((req, res) => this.showVars(req, res))],
      ['session', this.guarded({ GET: (req, res) => this.whoIs(req, res), POST: (req, res) => this.enter(req, res) })],
      ['sign-out', this.post((req, res) => this.leave(req, res))],
      ['act', this.post((req, res) => this.act(req, res))],
      ['history', this.get((req, res) => this.history(req, res))],
      ['events', this.get((req, res) => this.events(req, res))],
      ['stream', this.get((req, res) => this.stream(req, res))],
    ]);
  }

  close(): void {
    this.streams.end();
  }

  private get(handler: Handler): Serve {
    return this.guarded({ GET: handler });
  }

  private post(handler: Handler): Serve {
    return this.guarded({ POST: handler });
  }

  private guarded(handlers: Readonly<Partial<Record<'GET' | 'POST', Handler>>>): Serve {
    return (req, res) => {
      res.setHeader('X-Content-Type-Options', 'nosniff');
      res.setHeader('Referrer-Policy', 'no-referrer');
      res.setHeader('Cache-Control', 'no-store');
      res.setHeader('Content-Security-Policy', this.policy);
      const { GET, POST } = handlers;
      const handler = req.method === 'POST' ? POST : req.method === 'GET' || req.method === 'HEAD' ? GET : undefined;
      if (!handler) {
        res.setHeader('Allow', Object.keys(handlers).join(', '));
        res.status(405).end();
        return;
      }
      new Promise<void>((resolve) => {
        if (req.method === 'POST' && isForeign(req)) throw agentError('AGENT_FOREIGN_PAGE');
        resolve(handler(req, res));
      }).catch((thrown: unknown) => this.refuse(req, res, asError(thrown)));
    };
  }

  private refuse(req: Request, res: Response, error: Error): void {
    const known = error instanceof TelephonyError;
    if (!known) this.options.warn(error);
    const told = known ? error : agentError('AGENT_FAILED');
    if (res.headersSent) {
      res.end();
      return;
    }
    if (told.code === 'AGENT_WAIT') res.setHeader('Retry-After', String(told.params.seconds));
    const status = HTTP[told.code] ?? (/^(?:PROTOCOL|HTTP)_/.test(told.code) ? statusOf(told) : known ? 409 : 500);
    res.status(status).json({ error: { code: told.code, message: told.textIn(langOf(req)) } });
  }

  private page(req: Request, res: Response): void {
    const { pathname, search } = new URL(req.originalUrl, 'http://page');
    // The page names its files relative to itself.
    if (!pathname.endsWith('/')) res.redirect(302, `./${pathname.slice(pathname.lastIndexOf('/') + 1)}/${search}`);
    else this.file('index.html')(req, res);
  }

  private file(name: string): (req: Request, res: Response) => void {
    return (_req, res) => {
      res.setHeader('Content-Type', FILES[name] ?? 'text/plain');
      res.end(this.files.get(name));
    };
  }

  private showVars(req: Request, res: Response): void {
    const rows = [...new URL(req.originalUrl, 'http://page').searchParams].map(
      ([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
    );
    res.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'self'");
    res.setHeader('Content-Type', 'text/html; charset=utf-8');
    res.end(`<!doctype html><meta charset="utf-8"><title>show_vars</title><table>${rows.join('')}</table>`);
  }

  /** Why the stream was refused, for a browser does not tell its page. */
  private whoIs(req: Request, res: Response): void {
    const extension = this.agentOf(req);
    this.streams.mustHaveRoom(cookieIn(req, COOKIE));
    if (this.options.desk.feed.isFull(extension)) throw agentError('AGENT_TOO_MANY_TABS');
    res.json({ extension });
  }

  private async enter(req: Request, res: Response): Promise<void> {
    const { signIn, tell } = this.options;
    const { extension, pin, token } = await fields(req);
    let session: string;
    if (typeof token === 'string') session = signIn.withLink(token);
    else if (typeof extension === 'string' && typeof pin === 'string') {
      session = await this.enterWithPin(req, res, extension.trim(), pin);
    } else throw agentError('AGENT_BAD_REQUEST');
    const own = signIn.extensionOf(session) ?? '';
    setCookie(req, res, COOKIE, session, SESSION_MS);
    res.json({ extension: own, name: this.options.nameOf(own) });
    tell('agent_signed_in', { extension: own, by: typeof token === 'string' ? 'link' : 'pin' });
  }

  private async enterWithPin(req: Request, res: Response, extension: string, pin: string): Promise<string> {
    const { signIn, access } = this.options;
    const address = access.addressOf(req) ?? req.socket.remoteAddress ?? '';
    const devices = cookieIn(req, DEVICES).split('|').slice(0, MAX_DEVICES);
    const { session, device } = await signIn.withPin(extension, pin, { address, devices });
    const others = devices.filter((one) => ![undefined, extension].includes(signIn.extensionOfDevice(one)));
    setCookie(req, res, DEVICES, [device, ...others].slice(0, MAX_DEVICES).join('|'), DEVICE_MS);
    return session;
  }

  private leave(req: Request, res: Response): void {
    const extension = this.agentOf(req);
    const session = cookieIn(req, COOKIE);
    this.options.signIn.signOut(session);
    this.streams.end(session);
    setCookie(req, res, COOKIE, '', 0);
    res.json({});
    this.options.tell('agent_signed_out', { extension });
  }

  private async act(req: Request, res: Response): Promise<void> {
    const extension = this.agentOf(req);
    const asked = await fields(req);
    const { action, legId, to, queue, all, reason } = asked;
    const more = Object.entries({ to, queue, all, reason }).filter(([, value]) => value !== undefined);
    try {
      const done = await this.options.desk.act(extension, asked);
      res.json(done);
      this.options.tell('agent_action', { ok: true, ...Object.fromEntries(more), ...done, extension });
    } catch (thrown) {
      const code = thrown instanceof TelephonyError ? thrown.code : 'AGENT_FAILED';
      this.options.tell('agent_action', {
        ok: false,
        ...Object.fromEntries(more),
        extension,
        action,
        legId,
        error: { code },
      });
      throw thrown;
    }
  }

  private async history(req: Request, res: Response): Promise<void> {
    const extension = this.agentOf(req);
    res.json({ calls: (await this.options.history?.(extension)) ?? [] });
  }

  private events(req: Request, res: Response): void {
    const extension = this.agentOf(req);
    const { desk, signIn } = this.options;
    const session = cookieIn(req, COOKIE);
    this.streams.mustHaveRoom(session);
    const stream = this.streams.begin(req, res, session, () => signIn.extensionOf(session) !== undefined);
    const send = ({ id, name, data }: FeedEvent): void => stream.write(name, JSON.stringify(data), id);
    stream.onEnd(desk.feed.listen(extension, send, lastIdOf(req)));
    stream.write('state', JSON.stringify(desk.stateOf(extension)));
  }

  /** For the web page of a CRM: UserCRM's messages, to whoever shows a token of the extension. */
  private stream(req: Request, res: Response): void {
    const { origin } = req.headers;
    res.setHeader('Vary', 'Origin');
    res.removeHeader('Access-Control-Allow-Credentials');
    if (origin !== undefined && this.options.origins.includes(origin)) {
      res.setHeader('Access-Control-Allow-Origin', origin);
    } else res.removeHeader('Access-Control-Allow-Origin');
    const token = new URL(req.originalUrl, 'http://page').searchParams.get('token') ?? '';
    const { signIn } = this.options;
    const extension = signIn.extensionOfLink(token);
    if (extension === undefined) throw agentError('AGENT_BAD_LINK');
    const stream = this.streams.begin(req, res, '', () => signIn.extensionOfLink(token) !== undefined);
    stream.onEnd(this.options.bare(extension, (id, text) => stream.write('message', text, id), lastIdOf(req)));
  }

  private agentOf(req: Request): string {
    const extension = this.options.signIn.extensionOf(cookieIn(req, COOKIE));
    if (extension === undefined) throw agentError('AGENT_SIGNED_OUT');
    return extension;
  }
}

/** A page from elsewhere can send a form here with the agent's cookie, but neither this header nor our own origin. */
function isForeign({ headers }: Request): boolean {
  if (headers['x-telephony-crm'] !== '1') return true;
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string') return site !== 'same-origin';
  if (headers.origin === undefined) return false;
  return !URL.canParse(headers.origin) || new URL(headers.origin).host !== headers.host;
}

const langOf = (req: Request): Lang => (/^ru\b/i.test(req.headers['accept-language'] ?? '') ? 'ru' : 'en');

/** EventSource sends it when it connects again by itself; a page that opens a new one cannot set a header. */
function lastIdOf(req: Request): string {
  const header = req.headers['last-event-id'];
  return (
    (typeof header === 'string' ? header : undefined) ??
    new URL(req.originalUrl, 'http://page').searchParams.get('after') ??
    ''
  );
}

function cookieIn({ headers }: Request, wanted: string): string {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === wanted)?.[1] ?? '';
}

/** Only for the path of the page, as the browser sees it, and over TLS only if it came so. */
function setCookie(req: Request, res: Response, name: string, value: string, ms: number): void {
  const { pathname } = new URL(req.originalUrl, 'http://page');
  const path = pathname.replace(/[^/]*\/?$/, '');
  const secure = req.secure || req.headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  res.append('Set-Cookie', `${name}=${value}; HttpOnly; SameSite=Strict; Path=${path}; Max-Age=${ms / 1000}${secure}`);
}

async function fields(req: Request): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse((await readBody(req, BODY)) ?? '');
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    if (thrown instanceof TelephonyError) throw thrown;
  }
  throw agentError('AGENT_BAD_REQUEST');
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
