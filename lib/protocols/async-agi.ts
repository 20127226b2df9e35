import { CALLER_NAME, settableIn } from '../channel-variables';
import type { RouteAnswer, RouteQuestion } from './types';
import { dialSafeExtension, displayName, routeQuestion } from './wire';

/** The first AGI argument by which a channel says that it waits for us: `AGI(agi:async,telephony-crm)`. */
export const defaultAgiTag = 'telephony-crm';

/** Whatever reads headers of an AMI message. */
export interface HeaderReader {
  get(header: string): string | undefined;
}

/** A channel that waits in AsyncAGI. */
export interface AsyncAgiCall {
  readonly channel: string;
  /** Uniqueid; unlike the name of a channel no caller can guess it. */
  readonly uniqueid: string;
  /** The arguments of `AGI(agi:async,…)`, in order. */
  readonly args: readonly string[];
  /**
   * Asterisk cut `Env` before its end (it does after 2045 bytes, a long caller's name is enough; measured on 22.10 and
   * 16.28), so that arguments may be missing: whose the channel is, only its row of CoreShowChannels tells
   * ({@link readChannelRow}).
   */
  readonly cut: boolean;
  readonly question: RouteQuestion;
}

/** What answering takes: set all the variables at once (action Setvar each), then send the command (action AGI). */
export interface AsyncAgiAnswer {
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly command: 'ASYNCAGI BREAK';
}

/** Decodes percent signs byte by byte; a broken or cut escape stays as text, a broken character becomes U+FFFD. */
function percentDecoded(text: string): string {
  const bytes: number[] = [];
  const encoded = Buffer.from(text, 'utf8');
  for (let at = 0; at < encoded.length; at += 1) {
    const byte = encoded[at] ?? 0;
    const hex = byte === 0x25 ? encoded.toString('latin1', at + 1, at + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      bytes.push(parseInt(hex, 16));
      at += 2;
    } else {
      bytes.push(byte);
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** The question of a channel: the second AGI argument names the DID when the dialplan gives one, else it is where the call stands. */
function questionOf(channel: HeaderReader, args: readonly string[]): RouteQuestion {
  const did = args[1] ?? '';
  return routeQuestion(
    channel.get('CallerIDNum') ?? '',
    did === '' ? channel.get('Exten') : did,
    channel.get('Linkedid'),
  );
}

/** The AGI arguments of a decoded `Env`: the lines `agi_arg_<n>: value` behind its last fixed line. */
function argumentsOf(env: string): string[] {
  // Not before it: a caller's name may hold a line end and forge lines there.
  const [, tail = ''] = /^[\s\S]*\nagi_threadid: ([\s\S]*)$/.exec(env) ?? [];
  const args: string[] = [];
  for (const line of tail.split('\n')) {
    const prefix = `agi_arg_${args.length + 1}: `;
    if (line.startsWith(prefix)) args.push(line.slice(prefix.length));
  }
  return args;
}

/**
 * Reads an `AsyncAGIStart` event; `undefined` when it names no channel. Number, extension and Linkedid come from the event's own
 * headers, the arguments from `Env`: url-encoded lines `agi_…: value`, ended by an empty one.
 */
export function readAsyncAgiStart(event: HeaderReader): AsyncAgiCall | undefined {
  const channel = event.get('Channel') ?? '';
  if (channel === '') return undefined;
  const env = percentDecoded(event.get('Env') ?? '');
  const args = argumentsOf(env);
  return {
    channel,
    uniqueid: event.get('Uniqueid') ?? '',
    args,
    cut: !env.endsWith('\n\n'),
    question: questionOf(event, args),
  };
}

/** Reads a row of CoreShowChannels: a channel that was waiting before we listened. `undefined` when it does not wait in AsyncAGI. */
export function readChannelRow(row: HeaderReader): AsyncAgiCall | undefined {
  const channel = row.get('Channel') ?? '';
  const [url = '', ...args] = (row.get('ApplicationData') ?? '').split(',');
  if (channel === '' || row.get('Application')?.toUpperCase() !== 'AGI' || url.toLowerCase() !== 'agi:async')
    return undefined;
  return { channel, uniqueid: row.get('Uniqueid') ?? '', args, cut: false, question: questionOf(row, args) };
}

/** What became of one command of AGI on a channel. */
export interface AsyncAgiDone {
  readonly uniqueid: string;
  /** `CommandID` of the action that gave the command. */
  readonly commandId: string;
  /** `200 result=<this>`: `0`, `-1`, the keys that were pressed. Empty when none was, or when the command was refused. */
  readonly result: string;
  /** What stands behind it in parentheses: the value of a variable, `timeout`. */
  readonly value: string;
}

/** Reads an `AsyncAGIExec` event; `undefined` when it is of a command that nobody gave a CommandID. */
export function readAsyncAgiExec(event: HeaderReader): AsyncAgiDone | undefined {
  const commandId = event.get('CommandID') ?? '';
  if (commandId === '') return undefined;
  const [, result = '', value = ''] =
    /^200 result=(\S*)(?: \(([^\n]*)\))?/.exec(percentDecoded(event.get('Result') ?? '')) ?? [];
  return { uniqueid: event.get('Uniqueid') ?? '', commandId, result, value };
}

/** Is this channel ours to answer? Other programs may serve other channels over AsyncAGI. */
export function isForUs(call: AsyncAgiCall, tag: string = defaultAgiTag): boolean {
  return call.args[0] === tag;
}

/**
 * What to set on the channel before the dialplan goes on: `CRM_ROUTE_STATUS` (`found` or `nobody`), `CRM_ROUTE_NUMBER`,
 * `CRM_ROUTE_NAME`, the caller's name when there is one, and the variables of the answer. Values are one line each, so that they can stand in an AMI
 * header. Throws `PROTOCOL_UNSAFE_EXTENSION`; answer then as if nobody were found, for the channel waits.
 */
export function answerAsyncAgi(answer: RouteAnswer): AsyncAgiAnswer {
  const number = dialSafeExtension(answer.extension);
  const name = displayName(answer.name);
  const variables = [
    { name: 'CRM_ROUTE_STATUS', value: number === '' ? 'nobody' : 'found' },
    { name: 'CRM_ROUTE_NUMBER', value: number },
    { name: 'CRM_ROUTE_NAME', value: name },
  ];
  if (name !== '') variables.push({ name: CALLER_NAME, value: name });
  for (const [variable, value] of Object.entries(settableIn(answer.variables))) {
    if (name === '' || variable !== CALLER_NAME) variables.push({ name: variable, value });
  }
  return { variables, command: 'ASYNCAGI BREAK' };
}
