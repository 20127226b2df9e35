import type { NodeAPI, NodeMessage } from 'node-red';
import { nodeError } from './errors';

/** A value of a dialog or a message as text: numbers as people write them, everything else that is no text as nothing. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}

/** Longest and shortest time that a caller may be made to wait for an answer, in seconds. */
const SHORTEST_S = 0.1;
const LONGEST_S = 60;

/** A time of a dialog, given in seconds, in ms; what is no time at all, or not between 0.1 s and a minute, is the default. */
export function milliseconds(value: unknown, defaultSeconds: number): number {
  const seconds = Number(textOf(value).replace(',', '.') || defaultSeconds);
  return (seconds >= SHORTEST_S && seconds <= LONGEST_S ? seconds : defaultSeconds) * 1000;
}

/** The path below which an endpoint lives, without the slash at the end: `crm/` becomes `/crm`. Throws `ENDPOINT_BAD_PATH`. */
export function basePath(value: unknown): string {
  const path = textOf(value).replace(/^\/*|\/*$/g, '');
  if (path === '') return '';
  if (!/^[\w.~-]+(?:\/[\w.~-]+)*$/.test(path)) throw nodeError('ENDPOINT_BAD_PATH', { path });
  return `/${path}`;
}

/**
 * A key as it was given. Throws `ENDPOINT_NO_VARIABLE` for a `${VARIABLE}` that is not set: Node-RED leaves its name in
 * place, and whoever guesses the name would have the key.
 */
export function keyOf(value: unknown): string {
  const key = textOf(value);
  const variable = /^\$\{(\S+)\}$/.exec(key)?.[1];
  if (variable !== undefined) throw nodeError('ENDPOINT_NO_VARIABLE', { variable });
  return key;
}

/** A property of a message, however deep; `undefined` when any part of the way is not there (Node-RED throws then). */
export function propertyOf(red: NodeAPI, msg: NodeMessage, path: string): unknown {
  try {
    return red.util.getMessageProperty(msg, path);
  } catch {
    return undefined;
  }
}
