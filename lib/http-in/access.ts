import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { TelephonyError } from '../errors';
import { protocolError } from '../protocols/errors';
import { httpInError } from './errors';

export interface AccessOptions {
  /** The key that callers send as `Authorization: Bearer <key>`; absent or empty = no caller is let in by a key. */
  readonly apiKey?: string;
  /** Addresses and networks that need no key, separated by commas or blanks: `127.0.0.1, 10.0.0.0/8, ::1`. */
  readonly allowList: string;
  /** Addresses and networks, as in {@link allowList}, of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: string;
  /** Node-RED itself asks for Basic authentication in front of us: a `Basic` header is its, not ours. */
  readonly basicAuthInFront?: boolean;
}

/** Why a request is not let in. */
export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly error: TelephonyError;
}

/** A request that may come from a browser which somebody else's page leads here: it opens a tab, and changes nothing. */
interface TabRequest {
  /** The key in the query: an address that is opened can carry none elsewhere. */
  readonly key: string | undefined;
}

/** Says who may ask. Throws `HTTP_BAD_ALLOW_LIST` when it is made of an unreadable list. */
export class Access {
  private readonly allowed: BlockList;
  private readonly proxies: BlockList;
  private readonly keyDigest: Buffer | undefined;
  private readonly basicAuthInFront: boolean;

  constructor(options: AccessOptions) {
    this.allowed = listOf(options.allowList);
    this.proxies = listOf(options.trustedProxies ?? '');
    this.keyDigest = secretDigest(options.apiKey);
    this.basicAuthInFront = options.basicAuthInFront ?? false;
  }

  /**
   * `undefined` = let in: the right key from anywhere, or no key at all from an allowed address. Whoever shows a key is
   * judged by it alone, so that a wrong key is noticed where it was typed and not when the address changes. With `tab` a browser of an
   * allowed address may also be led here by a page of anybody.
   */
  refuse(request: IncomingMessage, tab?: TabRequest): Refusal | undefined {
    // To a tab the browser adds the password of whatever page beside it asked for one.
    const isOfBrowser = this.basicAuthInFront || tab !== undefined;
    const headers = valuesOf(request, 'authorization').filter((value) => !(isOfBrowser && /^basic\s/i.test(value)));
    if (headers.length > 1) return { status: 400, error: httpInError('HTTP_AUTHORIZATION_REPEATED') };
    const [header] = headers;
    if (header !== undefined) return this.isOurKey(header) ? undefined : unauthorized();
    if (tab?.key !== undefined) return this.isKey(tab.key) ? undefined : unauthorized();
    const { address, isHidden } = this.asker(request);
    const allowed = address !== undefined && contains(this.allowed, address);
    const relayed = isHidden || (isWebPage(request) && !(tab && opensTab(request)));
    if (allowed && !relayed) return undefined;
    if (tab && (allowed || this.keyDigest))
      return { status: this.keyDigest ? 401 : 403, error: httpInError('HTTP_TAB_KEY_NEEDED') };
    if (this.keyDigest) return unauthorized();
    return { status: 403, error: allowed ? httpInError('HTTP_KEY_NEEDED') : protocolError('PROTOCOL_FORBIDDEN') };
  }

  /** The IP address of who asks; `undefined` when a proxy that nobody trusts stands in between. */
  addressOf(request: IncomingMessage): string | undefined {
    const { address, isHidden } = this.asker(request);
    return isHidden ? undefined : address;
  }

  /** Whether this is the key of the endpoint, for callers that show it somewhere else than in `Authorization`. */
  isKey(shown: string | undefined): boolean {
    return isSameSecret(shown, this.keyDigest);
  }

  private isOurKey(header: string): boolean {
    return this.isKey(/^bearer +(\S+) *$/i.exec(header)?.[1]);
  }

  /**
   * Only the address of the connection counts: whatever a header says, anybody may have written. Except behind a trusted proxy, which
   * adds the address it was asked from at the end of `X-Forwarded-For`.
   */
  private asker(request: IncomingMessage): { readonly address: string | undefined; readonly isHidden: boolean } {
    const peer = plainAddress(request.socket.remoteAddress);
    if (peer === undefined || !contains(this.proxies, peer)) return { address: peer, isHidden: isProxied(request) };
    const way = valuesOf(request, 'x-forwarded-for').flatMap((value) => value.split(','));
    // Without the header nobody knows whether the proxy's own machine asks or somebody whom the proxy does not name.
    if (way.length === 0) return { address: peer, isHidden: isProxied(request) };
    for (const step of way.reverse()) {
      const address = plainAddress(step.trim());
      if (address === undefined) return { address: peer, isHidden: true };
      if (!contains(this.proxies, address)) return { address, isHidden: false };
    }
    return { address: peer, isHidden: true };
  }
}

/**
 * The address of a proxy says nothing about who asks: trusting it would let in everybody whom the proxy lets through. One
 * that adds no header cannot be recognised.
 */
function isProxied({ headers }: IncomingMessage): boolean {
  return Object.keys(headers).some((name) => /^(?:forwarded|via|x-real-ip|x-forwarded-.+)$/.test(name));
}

/** Libraries that call themselves a browser of 1998: Delphi's Indy, and WinHttp, by which 1C and Excel ask. */
const LIBRARY = /^mozilla\/[34]\.0 \(compatible; (?:indy library|win32; winhttp)/i;

/**
 * A page from anywhere can make the browser of an allowed machine ask here. Browsers say so in `Origin` and
 * `Sec-Fetch-Site` (`none`: a person typed the address), with two exceptions. To a page that was loaded under a name which its
 * owner then pointed at this machine (DNS rebinding) the two are one site: so a browser must ask by an address or as `localhost`,
 * which cannot be pointed elsewhere. And by plain http they send neither, for an `<img>` for instance, except to the machine they
 * run on (seen in Chromium): without a word from the browser nobody knows whether a person or a page asks by such an address.
 */
function isWebPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site ?? 'none') !== 'none') return true;
  const name = (headers.host ?? '').replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) === 0 && name.toLowerCase() !== 'localhost') return isBrowser(headers);
  return site === undefined && !isLoopback(name) && isBrowserByItself(headers);
}

/**
 * The browser itself says that it opens the address in a tab: what comes of it is seen by the person there, and not by the page that led
 * there. A page cannot write these headers (nor can one that owns the name, see {@link isWebPage}); by plain http to another machine
 * browsers do not send them. What is only fetched ahead opens no tab.
 */
function opensTab({ method, headers }: IncomingMessage): boolean {
  const isOpened = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return method === 'GET' && isOpened && headers['sec-purpose'] === undefined;
}

/** A page may rename its browser where the two are one site, but not hide its languages. */
const isBrowser = (headers: IncomingHttpHeaders): boolean =>
  isMozilla(headers) || headers['accept-language'] !== undefined;

/** A page cannot rename its browser to another site; `fetch` of Node.js names languages too, but asks for anything. */
const isBrowserByItself = (headers: IncomingHttpHeaders): boolean =>
  isMozilla(headers) ||
  (headers['accept-language'] !== undefined && /^(?:image\/|text\/html)/i.test(headers.accept ?? ''));

function isMozilla(headers: IncomingHttpHeaders): boolean {
  const agent = headers['user-agent'] ?? '';
  return /^mozilla\//i.test(agent) && !(LIBRARY.test(agent) && headers['accept-language'] === undefined);
}

const isLoopback = (name: string): boolean => /^(?:localhost|127\.[\d.]+|::1)$/i.test(name);

function unauthorized(): Refusal {
  return { status: 401, error: protocolError('PROTOCOL_UNAUTHORIZED') };
}

/** The digest of a secret, for {@link isSameSecret}; nothing of an empty one. */
export const secretDigest = (secret: string | undefined): Buffer | undefined => (secret ? digest(secret) : undefined);

/** Compares in constant time: digests have one length, whatever was sent. Nothing equals a secret that is not set. */
export function isSameSecret(shown: string | undefined, wanted: Buffer | undefined): boolean {
  return shown !== undefined && wanted !== undefined && timingSafeEqual(digest(shown), wanted);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** All values of a header as sent: Node keeps only the first `Authorization` in `headers`. */
function valuesOf(request: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i]?.toLowerCase() === name) values.push(request.rawHeaders[i + 1] ?? '');
  }
  return values;
}

/** `::ffff:10.0.0.1` (an IPv4 caller on a dual-stack socket) as `10.0.0.1`, without the zone of a link-local address. */
function plainAddress(address: string | undefined): string | undefined {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return plain !== undefined && isIP(plain) !== 0 ? plain : undefined;
}

function listOf(text: string): BlockList {
  const list = new BlockList();
  for (const entry of text.split(/[\s,;]+/)) if (entry !== '') allow(list, entry);
  return list;
}

const contains = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

function allow(list: BlockList, entry: string): void {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const family = isIP(address);
  const bits = family === 6 ? 128 : 32;
  const length = prefix === undefined ? bits : Number(prefix);
  if (family === 0 || length > bits) throw httpInError('HTTP_BAD_ALLOW_LIST', { entry });
  list.addSubnet(address, length, family === 6 ? 'ipv6' : 'ipv4');
}
