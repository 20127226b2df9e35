import { extensionMatcher } from '../phone/extension-pattern';
import { DIRECTIONS, PBX_TOPICS, type CallMessage, type PbxMessage } from '../messages/types';

/** What a dialog holds; an empty list or text lets everything through. */
export interface CallFilterOptions {
  readonly topics: readonly string[];
  readonly directions: readonly string[];
  /** Asterisk patterns and ranges: `1XX, 201-299`. */
  readonly extensions: string;
  /** Names of queues with commas, compared without case. */
  readonly queues: string;
}

/**
 * Compiles what stands in a dialog into "does this message pass?". A call passes the extensions when one of those it is told
 * of takes part in it: of a leg event its own, of a transfer both, of a record all that were rung or talked. `user_change`
 * knows extensions only, and `gap` is judged by its topic alone. Throws `PHONE_BAD_PLAN` for a pattern that cannot be.
 */
export function callFilter(options: CallFilterOptions): (message: PbxMessage) => boolean {
  const topics = chosen(PBX_TOPICS, options.topics);
  const directions = chosen(DIRECTIONS, options.directions);
  const isWanted = options.extensions.trim() === '' ? undefined : extensionMatcher(options.extensions);
  const isQueue = queueMatcher(options.queues);

  return (message) => {
    if (!topics.has(message.topic)) return false;
    if (message.topic === 'gap') return true;
    if (message.topic === 'user_change') return isWanted?.(message.payload.extension) ?? true;
    const { direction, queue } = message.payload;
    return directions.has(direction) && isQueue(queue?.id) && (!isWanted || extensionsOf(message).some(isWanted));
  };
}

/** Names of queues with commas, compared without case; no name lets every call through. */
export function queueMatcher(list: string): (id: string | undefined) => boolean {
  const queues = new Set(
    list
      .split(/[,;]/)
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ''),
  );
  return (id) => queues.size === 0 || queues.has((id ?? '').toLowerCase());
}

/** The chosen ones of a list, all when none is chosen; a word that is not in the list chooses nothing. */
export function chosen<Name extends string>(all: readonly Name[], names: readonly string[]): ReadonlySet<Name> {
  return new Set(names.length === 0 ? all : all.filter((name) => names.includes(name)));
}

/** The extensions that a message is of interest to. */
function extensionsOf(message: CallMessage): string[] {
  const { extension, peer, transfer } = message.payload;
  const record = message.topic === 'call_record' ? message.payload : undefined;
  const named = [extension, peer?.extension, transfer?.from, transfer?.to];
  return [...named, ...(record?.rung ?? []), ...(record?.talked ?? [])].filter((one) => one !== undefined);
}

/** A copy of the message for one flow: `user` filled from the CRM's table, where the extension has a line there. */
export function forFlow(
  message: PbxMessage,
  userOf: (extension: string) => { readonly userId: string; readonly name?: string } | undefined,
): PbxMessage {
  const copy = structuredClone(message);
  if (copy.topic === 'gap' || copy.payload.extension === undefined) return copy;
  const line = userOf(copy.payload.extension);
  if (!line) return copy;
  const user = { id: line.userId, ...(line.name === undefined ? {} : { name: line.name }) };
  return { ...copy, payload: { ...copy.payload, user } } as PbxMessage;
}
