import { settableIn } from '../channel-variables';
import type { RecordPayload } from '../messages/types';
import type { Contact } from '../routing/types';
import type { CommandAnswer, Fields, OrderTold, RouteAnswer } from '../protocols/types';

/** What a flow answers: to a route question, or to a command (and a test). */
export type FlowAnswer =
  | { readonly kind: 'route'; readonly answer: RouteAnswer }
  /** Written by hand, or what a node of this pack gave; `code` is a status of HTTP. */
  | { readonly kind: 'command'; readonly code: number; readonly answer: CommandAnswer }
  /** A node of this pack could not do it, and says why. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Nobody is responsible: the call goes on by its normal way. */
export const nobody: RouteAnswer = { found: false };

/** The forms of an answer, as an error tells them. */
export const answerShapes = { route: '{name, extension}', command: '{code, body}' } as const;

function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

/** A name or number out of a flow; numbers are taken as people write them (`101`). */
function text(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** A client is known by at least one of these. */
const OF_CLIENT = ['name', 'extension', 'entityType', 'entityId', 'url', 'ownerId', 'ownerName'] as const;
/** What is told of a number besides. */
const OF_NUMBER = ['outcome', 'region', 'timeZone'] as const;

type Told = Readonly<Partial<Record<(typeof OF_CLIENT)[number] | (typeof OF_NUMBER)[number], string | undefined>>>;

/** Leaves out what is not known: an absent property and an undefined one are not the same to a protocol. */
function routeAnswer(fields: Told, created: unknown, wanted: unknown): RouteAnswer {
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const variables = settableIn(wanted);
  const set = Object.keys(variables).length === 0 ? {} : { variables };
  return {
    found: OF_CLIENT.some((name) => fields[name] !== undefined),
    ...known,
    ...(created === true ? { created } : {}),
    ...set,
  };
}

function fromContact(contact: Contact): RouteAnswer {
  const entity = contact.entities[0];
  const fields = {
    name: text(contact.name),
    // A client whose responsible person cannot take the call is still shown by name.
    extension: contact.outcome === 'found' ? text(contact.extension) : undefined,
    entityType: text(entity?.type),
    entityId: text(entity?.id),
    url: text(entity?.url),
    ownerId: text(contact.owner?.id),
    ownerName: text(contact.owner?.name),
    outcome: text(contact.outcome),
    region: text(contact.region?.name),
    timeZone: text(contact.region?.timeZone),
  };
  return routeAnswer(fields, contact.created, contact.variables);
}

function isContact(fields: Fields): boolean {
  return typeof fields.outcome === 'string' && Array.isArray(fields.entities);
}

/**
 * Reads one value of a message as the answer to a route question: what `crm-lookup` wrote, or a plain
 * `{name, extension, entityType, entityId, url, variables}`, each part optional, or `{found: false}`. `undefined` when it is none of these.
 */
function readRouteAnswer(value: unknown): RouteAnswer | undefined {
  const fields = record(value);
  if (!fields) return undefined;
  if (isContact(fields)) return fromContact(fields as unknown as Contact);
  if (fields.found === false) return nobody;
  if (![...OF_CLIENT, 'variables'].some((name) => name in fields)) return undefined;
  const told = [...OF_CLIENT, ...OF_NUMBER].map((name) => [name, text(fields[name])] as const);
  return routeAnswer(Object.fromEntries(told), fields.created, fields.variables);
}

/**
 * The code of an answer. Below 200 HTTP only announces that the answer is still to come, so a flow cannot mean that.
 */
function codeOf(value: unknown): number {
  const code = Number(text(value));
  return Number.isInteger(code) && code >= 200 && code <= 599 ? code : 500;
}

/** Why something was not done: `{error: {code, message}}`. */
function failure(fields: Fields): FlowAnswer {
  const error = record(fields.error) ?? {};
  const [code, message] = [text(error.code) ?? 'UNEXPECTED', text(error.message) ?? ''];
  return { kind: 'failed', code, message: message === '' ? code : message };
}

/** An order as `originate` tells it: its number, and how far it has come or how it ended. */
function orderIn(value: unknown): OrderTold | undefined {
  const fields = record(value);
  const { orderId, state } = fields ?? {};
  if (!fields || typeof orderId !== 'number') return undefined;
  const outcome = fields.outcome ?? record(fields.result)?.outcome;
  const told = [
    ...(typeof outcome === 'string' ? [['outcome', outcome] as const] : []),
    ...(typeof state === 'string' ? [['state', state] as const] : []),
  ];
  return told.length === 0 ? undefined : { orderId, ...Object.fromEntries(told) };
}

/** What `originate` says of one order, by itself or when it was asked for its state. */
function readOrder(fields: Fields): FlowAnswer | undefined {
  // One that was refused at once has no number.
  if (fields.outcome === 'refused') return failure(fields);
  if (fields.command === 'status' && fields.found === false) {
    return { kind: 'failed', code: 'ORDER_UNKNOWN', message: 'There is no such order.' };
  }
  const order = orderIn(fields);
  return order && command({ kind: 'order', order });
}

const command = (answer: CommandAnswer, code = 200): FlowAnswer => ({ kind: 'command', code, answer });

/**
 * Reads one value of a message as the answer to a command: `{code, body}` or `{body}` by hand; what `call-control`, `originate` and
 * `call-history` give.
 */
function readCommandAnswer(value: unknown): FlowAnswer | undefined {
  const fields = record(value);
  if (!fields) return undefined;
  if ('code' in fields || 'body' in fields) {
    return command({ kind: 'body', body: fields.body ?? null }, codeOf(fields.code ?? 200));
  }
  const { ok, calls, total, ...done } = fields;
  if (ok === true) return command({ kind: 'done', done });
  if (ok === false) return failure(fields);
  if (Array.isArray(calls)) {
    return command({ kind: 'calls', calls: calls as RecordPayload[], ...(typeof total === 'number' ? { total } : {}) });
  }
  return readOrder(fields);
}

/** The first of the given values that answers a question of this action. Throws only what reading a value throws (a getter). */
export function readAnswer(action: string, values: readonly unknown[]): FlowAnswer | undefined {
  for (const value of values) {
    if (action === 'route') {
      const answer = readRouteAnswer(value);
      if (answer) return { kind: 'route', answer };
    } else {
      const answer = readCommandAnswer(value);
      if (answer) return answer;
    }
  }
  return undefined;
}
