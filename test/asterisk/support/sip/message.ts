/** A SIP message: text in, text out. Only what phones of a test need; header names are compared without case. */
export interface SipMessage {
  /** A request has a method and a URI, a response a status and a reason. */
  readonly start: SipRequestLine | SipStatusLine;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface SipRequestLine {
  readonly method: string;
  readonly uri: string;
}

export interface SipStatusLine {
  readonly status: number;
  readonly reason: string;
}

export type SipRequest = SipMessage & { readonly start: SipRequestLine };
export type SipResponse = SipMessage & { readonly start: SipStatusLine };

export const isRequest = (message: SipMessage): message is SipRequest => 'method' in message.start;

export function parseSip(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end < 0 ? undefined : end).split('\r\n');
  const start = parseStart(lines[0] ?? '');
  if (!start) return undefined;
  const headers = lines.slice(1).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 ? [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const] : [];
  });
  return { start, headers, body: end < 0 ? '' : text.slice(end + 4) };
}

function parseStart(line: string): SipRequestLine | SipStatusLine | undefined {
  const status = /^SIP\/2\.0 (\d{3}) (.*)$/.exec(line);
  if (status) return { status: Number(status[1]), reason: status[2]! };
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(line);
  return request ? { method: request[1]!, uri: request[2]! } : undefined;
}

export function formatSip(message: SipMessage): string {
  const { start, headers, body } = message;
  const first = 'method' in start ? `${start.method} ${start.uri} SIP/2.0` : `SIP/2.0 ${start.status} ${start.reason}`;
  const length: [string, string] = ['Content-Length', String(Buffer.byteLength(body))];
  return [first, ...[...headers, length].map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n');
}

/** The first header of this name; fails when there is none, because a phone cannot go on without. */
export function header(message: SipMessage, name: string): string {
  const value = allHeaders(message, name)[0];
  if (value === undefined) throw new Error(`a SIP message without ${name}:\n${formatSip(message)}`);
  return value;
}

export function allHeaders(message: SipMessage, name: string): string[] {
  return message.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** `"Иван \"Ваня\"" <sip:101@host>;tag=1`, in its parts. Asterisk sends names as plain UTF-8 in quotes. */
export function parseAddress(value: string): { name: string; user: string; uri: string; tag: string | undefined } {
  const parts = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<([^>]*)>(.*)$/s.exec(value);
  const uri = parts?.[3] ?? value;
  return {
    name: parts?.[1]?.replace(/\\(.)/gs, '$1') ?? parts?.[2] ?? '',
    user: decodeURIComponent(/^sips?:([^@]*)@/.exec(uri)?.[1] ?? ''),
    uri,
    tag: /;tag=([^;]+)/.exec(parts?.[4] ?? '')?.[1],
  };
}

export function formatAddress(name: string | undefined, uri: string): string {
  return name === undefined ? `<${uri}>` : `"${name.replace(/["\\]/g, '\\$&')}" <${uri}>`;
}
