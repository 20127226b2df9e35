import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a token is for: one made for one purpose is worth nothing for another. */
export type TokenPurpose = 'link' | 'session' | 'device';

const DAY_S = 24 * 60 * 60;
/** The longest time that one may be valid, in s: a CRM makes links, and whoever has one needs no PIN. */
const LONGEST_S: Readonly<Record<TokenPurpose, number>> = { link: DAY_S, session: DAY_S, device: 100 * DAY_S };

function signature(purpose: TokenPurpose, extension: string, expires: string, key: string): Buffer {
  return createHmac('sha256', key).update(`${purpose}\n${extension}\n${expires}`, 'utf8').digest();
}

/**
 * `<extension>.<expires>.<signature>`: expires in Unix seconds, the signature HMAC-SHA256 in hexadecimal over purpose, extension and
 * expires, one to a line. A CRM makes links of it (purpose `link`); see the help of `screen-pop`.
 */
export function signToken(purpose: TokenPurpose, extension: string, expiresAt: number, key: string): string {
  const expires = String(Math.floor(expiresAt / 1000));
  return `${extension}.${expires}.${signature(purpose, extension, expires, key).toString('hex')}`;
}

/** Whose extension a token of this purpose is; `undefined` when it is not valid (now: wall-clock ms). `keyOf`: the key of an extension. */
export function extensionOfToken(
  purpose: TokenPurpose,
  token: string,
  now: number,
  keyOf: (extension: string) => string | undefined,
): string | undefined {
  const [, extension = '', expires = '', shown = ''] =
    /^([\w*#+-]{1,40})\.(\d{1,12})\.([0-9a-f]{64})$/.exec(token) ?? [];
  const key = keyOf(extension);
  if (extension === '' || !key) return undefined;
  const left = Number(expires) - now / 1000;
  if (left <= 0 || left > LONGEST_S[purpose]) return undefined;
  return timingSafeEqual(Buffer.from(shown, 'hex'), signature(purpose, extension, expires, key))
    ? extension
    : undefined;
}
