import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a token is for, and where: one made for another purpose, or for another place, is worth nothing. */
interface TokenUse {
  readonly purpose: 'link' | 'session' | 'device';
  /** Of a link the PBX, of the others the page: 101 of another one is somebody else, even where the keys are the same. */
  readonly place: string;
}

const DAY_S = 24 * 60 * 60;
/** The longest time that one may be valid, in s: a CRM makes links, and whoever has one needs no PIN. */
const LONGEST_S: Readonly<Record<TokenUse['purpose'], number>> = { link: DAY_S, session: DAY_S, device: 100 * DAY_S };
const NONCE_BYTES = 12;

function signature({ purpose, place }: TokenUse, said: readonly string[], key: string): Buffer {
  return createHmac('sha256', key)
    .update([purpose, place, ...said].join('\n'), 'utf8')
    .digest();
}

/**
 * `<extension>.<expires>.<signature>`: expires in Unix seconds, the signature HMAC-SHA256 in hexadecimal over purpose, place, extension and
 * expires, one to a line. A CRM makes links of it (purpose `link`); see the help of `screen-pop`. What the page gives to a browser has a
 * random part before the signature, and under it: two sign-ins within one second are two sessions, of which one can be ended.
 */
export function signToken(use: TokenUse, extension: string, expiresAt: number, key: string): string {
  const nonce = use.purpose === 'link' ? [] : [randomBytes(NONCE_BYTES).toString('hex')];
  const said = [extension, String(Math.floor(expiresAt / 1000)), ...nonce];
  return [...said, signature(use, said, key).toString('hex')].join('.');
}

/** Whose extension a token of this use is; `undefined` when it is not valid (now: wall-clock ms). `keyOf`: the key of an extension. */
export function extensionOfToken(
  use: TokenUse,
  token: string,
  now: number,
  keyOf: (extension: string) => string | undefined,
): string | undefined {
  const [, extension = '', expires = '', nonce, shown = ''] =
    /^([\w*#+-]{1,40})\.(\d{1,12})(?:\.([0-9a-f]{24}))?\.([0-9a-f]{64})$/.exec(token) ?? [];
  const key = keyOf(extension);
  if (extension === '' || !key || (nonce === undefined) !== (use.purpose === 'link')) return undefined;
  const left = Number(expires) - now / 1000;
  if (left <= 0 || left > LONGEST_S[use.purpose]) return undefined;
  const said = [extension, expires, ...(nonce === undefined ? [] : [nonce])];
  return timingSafeEqual(Buffer.from(shown, 'hex'), signature(use, said, key)) ? extension : undefined;
}
