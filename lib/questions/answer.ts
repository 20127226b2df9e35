import type { Contact } from '../routing/types';
import type { RouteAnswer } from '../protocols/types';

/** What a flow answers: to a route question, or to a command (and a test). */
export type FlowAnswer =
  | { readonly kind: 'route'; readonly answer: RouteAnswer }
  | { readonly kind: 'body'; readonly code: number; readonly body: unknown };

/** Nobody is responsible: the call goes on by its normal way. */
export const nobody: RouteAnswer = { found: false };

/** The forms of an answer, as an error tells them. */
export const answerShapes = { route: '{name, extension}', body: '{code, body}' } as const;

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** A name or number out of a flow; numbers are taken as people write them (`101`). */
function text(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Leaves out what is not known: an absent property and an undefined one are not the same to a protocol. */
function routeAnswer(fields: Readonly<Record<string, string | undefined>>): RouteAnswer {
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { found: Object.keys(known).length > 0, ...known };
}

function fromContact(contact: Contact): RouteAnswer {
  const entity = contact.entities[0];
  return routeAnswer({
    name: text(contact.name),
    // A client whose responsible person cannot take the call is still shown by name.
    extension: contact.outcome === 'found' ? text(contact.extension) : undefined,
    entityType: text(entity?.type),
    entityId: text(entity?.id),
  });
}

function isContact(fields: Readonly<Record<string, unknown>>): boolean {
  return typeof fields.outcome === 'string' && Array.isArray(fields.entities);
}

/**
 * Reads one value of a message as the answer to a route question: what `crm-lookup` wrote, or a plain
 * `{name, extension, entityType, entityId}`, each part optional, or `{found: false}`. `undefined` when it is none of these.
 */
function readRouteAnswer(value: unknown): RouteAnswer | undefined {
  const fields = record(value);
  if (!fields) return undefined;
  if (isContact(fields)) return fromContact(fields as unknown as Contact);
  if (fields.found === false) return nobody;
  const names = ['name', 'extension', 'entityType', 'entityId'];
  if (!names.some((name) => name in fields)) return undefined;
  return routeAnswer(Object.fromEntries(names.map((name) => [name, text(fields[name])])));
}

/**
 * The code of an answer. Below 200 HTTP only announces that the answer is still to come, so a flow cannot mean that.
 */
function codeOf(value: unknown): number {
  const code = Number(text(value));
  return Number.isInteger(code) && code >= 200 && code <= 599 ? code : 500;
}

/** Reads one value of a message as the answer to a command: `{code, body}`, or `{body}` for code 200. */
function readBodyAnswer(value: unknown): { readonly code: number; readonly body: unknown } | undefined {
  const fields = record(value);
  if (!fields || !('code' in fields || 'body' in fields)) return undefined;
  return { code: codeOf(fields.code ?? 200), body: fields.body ?? null };
}

/** The first of the given values that answers a question of this action. Throws only what reading a value throws (a getter). */
export function readAnswer(action: string, values: readonly unknown[]): FlowAnswer | undefined {
  for (const value of values) {
    if (action === 'route') {
      const answer = readRouteAnswer(value);
      if (answer) return { kind: 'route', answer };
    } else {
      const answer = readBodyAnswer(value);
      if (answer) return { kind: 'body', ...answer };
    }
  }
  return undefined;
}
