/** One header of an AMI message, before it becomes a line. */
export type Header = readonly [name: string, value: string | number];

/** An event as the PBX makes it; who may read it depends on its class. */
export interface PbxEvent {
  readonly name: string;
  readonly privilege: string;
  /** Wall-clock ms; absent in what is told to one session only. */
  readonly at?: number;
  readonly headers: readonly Header[];
}

/** The bytes of one message: lines that end with CR LF, and an empty one. */
export function formatMessage(headers: readonly Header[]): string {
  let text = '';
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return `${text}\r\n`;
}

/** As with `timestampevents = yes` in manager.conf. */
export function formatEvent({ name, privilege, at, headers }: PbxEvent): string {
  const moment: Header[] = at === undefined ? [] : [['Timestamp', epochSeconds(at)]];
  return formatMessage([['Event', name], ['Privilege', `${privilege},all`], ...moment, ...headers]);
}

const cEscapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '?': '\\?',
};

/** Names and variable values travel C-escaped (measured): a line end or a quote in them cannot break the message. */
export function escapeC(text: string): string {
  return text.replace(/[\b\f\n\r\t\v\\'"?]/g, (character) => cEscapes[character] ?? character);
}

/** Asterisk writes an empty number or name as this text (measured). */
export function orUnknown(text: string): string {
  return text === '' ? '<unknown>' : text;
}

/** Percent-encoding as in AsyncAGI's `Env` and `Result`: like encodeURIComponent, which also leaves `~`, `(` and `)` alone (measured). */
export function encodeAgi(text: string): string {
  return encodeURIComponent(text);
}

/** `2026-11-20 19:38:26`: Asterisk writes Cdr times in the computer's own time zone. */
export function localTime(ms: number): string {
  return `${localDate(ms)} ${localClock(ms)}`;
}

export function localDate(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

export function localClock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `00:01:07`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Wall-clock ms as seconds with six decimals, as in the answer to Ping. */
export function epochSeconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

const two = (part: number): string => String(part).padStart(2, '0');

const causes: Readonly<Record<number, string>> = {
  1: 'Unallocated (unassigned) number',
  3: 'No route to destination',
  16: 'Normal Clearing',
  17: 'User busy',
  19: 'User alerting, no answer',
  21: 'Call Rejected',
  26: 'Answered elsewhere',
  34: 'Circuit/channel congestion',
  127: 'Interworking, unspecified',
};

/** Hang-up cause (Q.850) as Asterisk words it. */
export function causeText(cause: number): string {
  return causes[cause] ?? 'Unknown';
}
