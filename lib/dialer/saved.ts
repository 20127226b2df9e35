import type { StoredOrder } from '../store/types';
import { isTimeZone } from '../time-zone';
import type { Cause, Order, RetriedOutcome } from './types';

/** What the store keeps of an order as its body. */
export interface SavedOrder {
  readonly order: Order;
  /** What the flow gets back with the outcome, beside it: who waits for it. */
  readonly reply?: unknown;
  /** Of this order alone: tells it in the store when its number is not known. */
  readonly token?: string;
}

/** What the dialler noted of the tries so far. */
export interface Notes {
  /** How many tries failed in which way. */
  readonly failed: Readonly<Partial<Record<RetriedOutcome, number>>>;
  /** How many times in a row nothing reached the PBX. */
  readonly unsent: number;
  readonly cause?: Cause;
}

/** `undefined`: what stands in the store is no whole order: another version has written it, or the file is damaged. */
export function savedOrder({ body }: Pick<StoredOrder, 'body'>): SavedOrder | undefined {
  const saved = parsed(body);
  if (!isRecord(saved) || !isOrder(saved.order)) return undefined;
  const { order, reply, token } = saved;
  return {
    order,
    ...(reply === undefined ? {} : { reply }),
    ...(typeof token === 'string' ? { token } : {}),
  };
}

/** Notes that cannot be read are none: how many tries there were stands beside them. */
export function notesOf({ notes }: Pick<StoredOrder, 'notes'>): Notes {
  const found = notes === undefined ? undefined : parsed(notes);
  return isNotes(found) ? found : { failed: {}, unsent: 0 };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = Number.isFinite;
const isFlag: Check = (value) => typeof value === 'boolean';
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const recordOf =
  (check: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(check);
const shape =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(checks).every(([name, check]) => check(value[name]));

const BASE = {
  key: orAbsent(isText),
  expiresAt: isNumber,
  priority: isNumber,
  tries: isNumber,
  periodMs: isNumber,
  callerId: orAbsent(shape({ number: orAbsent(isText), name: orAbsent(isText) })),
  variables: recordOf(isText),
  by: orAbsent(isText),
};

const inDialplan = shape({ context: isText, exten: isText, priority: isNumber });
const inApplication = shape({ application: isText, data: isText });

const ORDERS: Readonly<Record<Order['mode'], Check>> = {
  click: shape({ ...BASE, extension: isText, number: isText, e164: orAbsent(isText) }),
  autocall: shape({
    ...BASE,
    number: isText,
    e164: isText,
    files: listOf(isText),
    language: orAbsent(isText),
    prompt: orAbsent(isText),
    detectMachine: isFlag,
    triesOf: recordOf(isNumber),
    timeZones: listOf((value) => typeof value === 'string' && isTimeZone(value)),
  }),
  plain: shape({
    ...BASE,
    channel: isText,
    to: (value) => inDialplan(value) || inApplication(value),
    ringMs: isNumber,
  }),
};

const isMode = (value: unknown): value is Order['mode'] => typeof value === 'string' && Object.hasOwn(ORDERS, value);

/** Whoever holds an order relies on every field of it: one that lacks any must not get as far as the dialler. */
const isOrder = (value: unknown): value is Order => isRecord(value) && isMode(value.mode) && ORDERS[value.mode](value);

const hasNotes = shape({
  failed: recordOf(isNumber),
  unsent: isNumber,
  cause: orAbsent(shape({ code: isNumber, text: isText })),
});
const isNotes = (value: unknown): value is Notes => hasNotes(value);
