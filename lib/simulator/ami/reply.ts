import { formatMessage, type Header } from '../event-format';

/** One event of a list. */
export interface ListItem {
  readonly event: string;
  readonly headers: readonly Header[];
  /** Where the ActionID stands: Asterisk's applications do not agree (measured). */
  readonly actionId: 'first' | 'last';
}

export interface Reply {
  readonly response: 'Success' | 'Error' | 'Goodbye';
  readonly headers: readonly Header[];
  readonly list?: {
    readonly message: string;
    readonly complete: string;
    readonly items: readonly ListItem[];
    readonly last?: readonly Header[];
  };
}

export function success(message?: string, ...headers: readonly Header[]): Reply {
  return { response: 'Success', headers: message === undefined ? headers : [['Message', message], ...headers] };
}

export function failure(message: string): Reply {
  return { response: 'Error', headers: [['Message', message]] };
}

/** An answer that a list of events follows. */
export function list(
  message: string,
  complete: string,
  items: readonly ListItem[],
  last: readonly Header[] = [],
): Reply {
  return { response: 'Success', headers: [], list: { message, complete, items, last } };
}

/** The bytes of an answer; every message of it carries the ActionID that the request had. */
export function formatReply(reply: Reply, actionId: string): string {
  const id: readonly Header[] = actionId === '' ? [] : [['ActionID', actionId]];
  const { list: following } = reply;
  if (!following) return formatMessage([['Response', reply.response], ...id, ...reply.headers]);
  const parts = [
    formatMessage([['Response', reply.response], ...id, ['EventList', 'start'], ['Message', following.message]]),
  ];
  for (const { event, headers, actionId: where } of following.items) {
    const [before, after] = where === 'first' ? [id, []] : [[], id];
    parts.push(formatMessage([['Event', event], ...before, ...headers, ...after]));
  }
  parts.push(
    formatMessage([
      ['Event', following.complete],
      ...id,
      ['EventList', 'Complete'],
      ['ListItems', following.items.length],
      ...(following.last ?? []),
    ]),
  );
  return parts.join('');
}
