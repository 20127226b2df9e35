import type { NodeAPI, NodeMessage } from 'node-red';
import type { TelephonyError } from '../../lib/errors';
import { variableIn } from '../../lib/variables';
import { nodeError } from './errors';

/** A value of a dialog or a message as text: numbers as people write them, everything else that is no text as nothing. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}

/** Longest and shortest time that a caller may be made to wait for an answer, in seconds. */
const SHORTEST_S = 0.1;
const LONGEST_S = 60;

/**
 * A time of a dialog, given in seconds, in ms. An empty one is the default; so is one that is no time, or not between 0.1 s and
 * a minute, and `onProblem` is told.
 */
export function milliseconds(
  value: unknown,
  defaultSeconds: number,
  onProblem: (problem: TelephonyError) => void,
): number {
  const typed = textOf(value);
  const seconds = Number(typed.replace(',', '.') || defaultSeconds);
  if (seconds >= SHORTEST_S && seconds <= LONGEST_S) return seconds * 1000;
  onProblem(nodeError('BAD_DEADLINE', { value: typed.slice(0, 40), seconds: defaultSeconds }));
  return defaultSeconds * 1000;
}

/** The path below which an endpoint lives, without the slash at the end: `crm/` becomes `/crm`. Throws `ENDPOINT_BAD_PATH`. */
export function basePath(value: unknown): string {
  const path = textOf(value).replace(/^\/*|\/*$/g, '');
  if (path === '') return '';
  if (!/^[\w.~-]+(?:\/[\w.~-]+)*$/.test(path)) throw nodeError('ENDPOINT_BAD_PATH', { path });
  return `/${path}`;
}

/** A key as it was given. Throws `ENDPOINT_NO_VARIABLE` for an environment variable that is not set: see {@link variableIn}. */
export function keyOf(value: unknown): string {
  const key = textOf(value);
  const variable = variableIn(key);
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
