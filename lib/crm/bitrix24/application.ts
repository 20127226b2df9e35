import { createHash } from 'node:crypto';
import { asError, TelephonyError, type Text } from '../../errors';
import { asCrmError, badAnswer, badSettings, crmError, unauthorizedError } from '../errors';
import { untilAborted } from '../http';
import { isObject, parseJson, scalar } from '../json';
import { Seal } from '../sealed';
import type { CallContext, CrmHttp, CrmRequest, CrmResponse, Keep, SignIn } from '../types';
import type { Entrance, Pass } from './entrance';

/** A local application of a portal, as its administrator has registered it. */
export interface Application {
  /** `https://company.bitrix24.ru`, without a slash at the end. */
  readonly portal: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The sign-in server, without a slash at the end. */
  readonly server: string;
}

interface Tokens {
  /** Good for an hour. */
  readonly access: string;
  /** Good for 180 days, and for one use: each answer brings the next. */
  readonly refresh: string;
}

/**
 * The tokens of one application: one for all accounts of this process, so that a dialog signs in the node that is deployed, and a deploy
 * does not use one refresh token twice.
 */
class Session {
  private tokens: Tokens | undefined;
  private loading: Promise<void> | undefined;
  private renewing: Promise<void> | undefined;
  private isUnkept = false;
  private readonly host: string;
  private readonly name: string;
  private readonly seal: Seal;

  constructor(
    private readonly application: Application,
    private readonly keep: Keep | undefined,
  ) {
    const { portal, clientId, clientSecret } = application;
    this.host = new URL(portal).host;
    this.name = `bitrix24-${createHash('sha256').update(`${portal} ${clientId}`).digest('hex').slice(0, 32)}`;
    this.seal = new Seal(clientSecret, `${portal} ${clientId}`);
  }

  async current(): Promise<Tokens> {
    // A read that failed may succeed the next time.
    this.loading ??= this.load().catch((thrown: unknown) => {
      this.loading = undefined;
      throw crmError('CRM_SIGN_IN_UNREADABLE', { reason: codeOf(thrown) }, thrown);
    });
    await this.loading;
    if (this.isUnkept) void this.write().catch(() => undefined);
    return this.tokens ?? this.signedOut();
  }

  /** Tokens other than `used`. However many ask, one request goes out, which none of them can break off. */
  async renewed(used: string, http: CrmHttp, { signal }: CallContext): Promise<Tokens> {
    if ((await this.current()).access === used) {
      this.renewing ??= this.renew(http).finally(() => (this.renewing = undefined));
      await untilAborted(this.renewing, signal);
    }
    return this.current();
  }

  async begin(code: string, http: CrmHttp, context: CallContext): Promise<void> {
    try {
      this.tokens = await this.ask({ grant_type: 'authorization_code', code }, http, context);
    } catch (thrown) {
      if (thrown instanceof TelephonyError && thrown.code === 'CRM_SIGNED_OUT') throw badCode(OLD_CODE);
      throw thrown;
    }
    this.loading = Promise.resolve();
    await this.write();
  }

  private async load(): Promise<void> {
    const text = await this.keep?.read(this.name);
    const kept = text === undefined ? undefined : parseJson(this.seal.open(text) ?? '');
    this.tokens ??= tokensIn(kept);
  }

  /**
   * An answer that is lost on the way leaves the tokens as they are: the next request tries again. If the server has given out others
   * for it, the old ones are no longer good and a person must sign in. Not documented: whether the old ones stay good for a while.
   */
  private async renew(http: CrmHttp): Promise<void> {
    const { tokens: old } = this;
    if (old === undefined) this.signedOut();
    try {
      const context = { signal: new AbortController().signal, background: true };
      const tokens = await this.ask({ grant_type: 'refresh_token', refresh_token: old.refresh }, http, context);
      // Meanwhile somebody may have signed in.
      if (this.tokens !== old) return;
      this.tokens = tokens;
    } catch (thrown) {
      const isOver = thrown instanceof TelephonyError && thrown.code === 'CRM_SIGNED_OUT';
      if (isOver && this.tokens === old) this.tokens = undefined;
      throw thrown;
    }
    await this.write().catch((thrown: unknown) => this.keep?.warn(asCrmError(thrown)));
  }

  private async write(): Promise<void> {
    const { tokens, keep } = this;
    if (tokens === undefined || keep === undefined) return;
    this.isUnkept = false;
    try {
      await keep.write(this.name, this.seal.close(JSON.stringify(tokens)));
    } catch (thrown) {
      this.isUnkept = true;
      throw crmError('CRM_SIGN_IN_UNKEPT', { reason: codeOf(thrown) }, thrown);
    }
  }

  /** The documented form of the request; errors name the host only. */
  private async ask(grant: Readonly<Record<string, string>>, http: CrmHttp, context: CallContext): Promise<Tokens> {
    const { clientId, clientSecret, server } = this.application;
    const query = new URLSearchParams({ ...grant, client_id: clientId, client_secret: clientSecret });
    const request: CrmRequest = {
      method: 'GET',
      url: `${server}/oauth/token/?${query.toString()}`,
      failureIn: (response, shown) => this.failureIn(response, shown),
    };
    const tokens = tokensIn(await http.json(request, context));
    if (tokens === undefined) throw badAnswer({ en: 'it has no tokens.', ru: 'в нём нет токенов.' });
    return tokens;
  }

  /** Nothing here is about one event, so that none may be given up for it. */
  private failureIn({ status, text }: CrmResponse, shown: (words: string) => string): TelephonyError | undefined {
    const body = status < 500 ? parseJson(text) : undefined;
    const error = isObject(body) ? scalar(body.error) : undefined;
    if (!isObject(body) || error === undefined || status === 429) return undefined;
    if (error === 'invalid_grant') return crmError('CRM_SIGNED_OUT', { host: this.host });
    const { host } = new URL(this.application.server);
    return unauthorizedError({ host, status }, shown(`${error}: ${scalar(body.error_description) ?? ''}`));
  }

  private signedOut(): never {
    throw crmError('CRM_SIGNED_OUT', { host: this.host });
  }
}

const codeOf = (thrown: unknown): string => (asError(thrown) as NodeJS.ErrnoException).code ?? asError(thrown).name;

/** As the sign-in server tells them, and as they are kept. */
function tokensIn(told: unknown): Tokens | undefined {
  if (!isObject(told)) return undefined;
  const [access, refresh] = [scalar(told.access_token ?? told.access), scalar(told.refresh_token ?? told.refresh)];
  return access === undefined || refresh === undefined ? undefined : { access, refresh };
}

const MAX_SESSIONS = 100;
const sessionsOf = new WeakMap<Keep, Map<string, Session>>();

/** Beyond the bound the oldest is forgotten: who uses it goes on, and a new account reads its tokens from disk. */
function sessionOf(application: Application, keep: Keep | undefined): Session {
  if (keep === undefined) return new Session(application, keep);
  const sessions = sessionsOf.get(keep) ?? new Map<string, Session>();
  sessionsOf.set(keep, sessions);
  const key = createHash('sha256').update(JSON.stringify(application)).digest('hex');
  const session = sessions.get(key) ?? new Session(application, keep);
  sessions.set(key, session);
  for (const oldest of sessions.keys()) {
    if (sessions.size <= MAX_SESSIONS) break;
    sessions.delete(oldest);
  }
  return session;
}

const badCode = (problem: Text): TelephonyError => badSettings('pasted', problem);
const OLD_CODE: Text = {
  en: 'the portal does not take this code: it is good once, and for 30 seconds. Open the page again and paste the new address at once.',
  ru: 'портал не принимает этот код: он одноразовый и действует 30 секунд. Откройте страницу снова и сразу вставьте новый адрес.',
};

/** The code in what a person pastes: the address that the portal sent him to, or the code itself, which it shows on some pages. */
function codeIn(pasted: string): string {
  const text = pasted.trim();
  const code = /[?&]code=([^&#\s]+)/.exec(text)?.[1] ?? text;
  if (/^[\w.-]{8,256}$/.test(code)) return code;
  throw badCode({
    en: 'paste the whole address that the portal sent you to. It has "code=" in it.',
    ru: 'вставьте целиком адрес, на который вас отправил портал. В нём есть «code=».',
  });
}

/** The way in of a local application: OAuth with a refresh token that is another one after each use. */
export function applicationEntrance(
  application: Application,
  http: CrmHttp,
  keep: Keep | undefined,
): Entrance & SignIn {
  const session = sessionOf(application, keep);
  const { portal, clientId } = application;
  const passOf = ({ access }: Tokens): Pass => ({
    base: `${portal}/rest/`,
    params: { auth: access },
    secrets: [access],
  });
  return {
    portal,
    page: `${portal}/oauth/authorize/?client_id=${encodeURIComponent(clientId)}`,
    pass: async () => passOf(await session.current()),
    renew: async ({ params }, context) => passOf(await session.renewed(String(params.auth), http, context)),
    finish: async (pasted, context) => session.begin(codeIn(pasted), http, context),
  };
}
