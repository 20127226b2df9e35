import type { AgentChangeKind } from './queues';
import { CALL_RESULTS, DIRECTIONS, type Hangup, type Transfer, type UserState } from './types';

/** What a value of a message must be. */
interface Kind {
  readonly en: string;
  readonly ru: string;
  readonly fits: (value: unknown) => boolean;
}

/** Members of an object, or the items of a list; those whose name ends in `!` must be there. */
interface Members {
  readonly [name: string]: Shape;
}
type Shape = Kind | Members | readonly [Shape];

const among = (known: readonly string[]): Kind => {
  const [others, last] = [known.slice(0, -1).join(', '), known.at(-1) ?? ''];
  return {
    en: `${others} or ${last}`,
    ru: `${others} или ${last}`,
    fits: (value) => typeof value === 'string' && known.includes(value),
  };
};
const oneOf = (words: Readonly<Record<string, true>>): Kind => among(Object.keys(words));
const TEXT: Kind = { en: 'a text', ru: 'строкой', fits: (value) => typeof value === 'string' };
const NUMBER: Kind = { en: 'a number', ru: 'числом', fits: (value) => typeof value === 'number' };
const FLAG: Kind = { en: 'true or false', ru: 'true или false', fits: (value) => typeof value === 'boolean' };
const SECONDS: Kind = {
  en: 'a number of seconds',
  ru: 'числом секунд',
  fits: (value) => typeof value === 'number' && value >= 0,
};
/** From 1970 to 9999: what lies outside has no ISO-8601 form of the usual length, and is no call. */
const MOST_MS = Date.UTC(10_000, 0);
const TIME: Kind = {
  en: 'a time',
  ru: 'временем',
  fits: (value) => typeof value === 'string' && Date.parse(value) >= 0 && Date.parse(value) < MOST_MS,
};
const TEXTS: Kind = {
  en: 'an object of texts',
  ru: 'объектом со строками',
  fits: (value) => isObject(value) && Object.values(value).every(TEXT.fits),
};

const DIRECTION = among(DIRECTIONS);
const RESULT = among(CALL_RESULTS);
const HANGUP_BY = oneOf({ client: true, extension: true, system: true } satisfies Record<
  NonNullable<Hangup['by']>,
  true
>);
const TRANSFER = oneOf({ blind: true, attended: true } satisfies Record<Transfer['type'], true>);
const STATE = oneOf({ offline: true, idle: true, ringing: true, busy: true } satisfies Record<UserState, true>);

const USER: Members = { 'id!': TEXT, name: TEXT };
const CLIENT: Members = {
  'number!': TEXT,
  e164: TEXT,
  national: TEXT,
  name: TEXT,
  region: { 'country!': TEXT, name: TEXT, timeZone: TEXT },
};
const HANGUP: Members = { 'code!': NUMBER, text: TEXT, by: HANGUP_BY };

/** What may stand in the payload of a call's event; further members are nobody's business. */
export const CALL: Members = {
  legId: TEXT,
  'direction!': DIRECTION,
  client: CLIENT,
  peer: { 'extension!': TEXT, name: TEXT },
  extension: TEXT,
  user: USER,
  line: { number: TEXT, trunk: TEXT },
  queue: { 'id!': TEXT, name: TEXT },
  'startedAt!': TIME,
  answeredAt: TIME,
  endedAt: TIME,
  waitSeconds: SECONDS,
  talkSeconds: SECONDS,
  holdSeconds: SECONDS,
  result: RESULT,
  hangup: HANGUP,
  transfer: { 'type!': TRANSFER, 'from!': TEXT, 'to!': TEXT },
  recording: { file: TEXT, url: TEXT },
  variables: TEXTS,
  reconciled: FLAG,
};

/** … of a `call_record`. */
export const RECORD: Members = {
  ...CALL,
  rung: [TEXT],
  talked: [TEXT],
  legs: [
    {
      'legId!': TEXT,
      'extension!': TEXT,
      ringingAt: TIME,
      answeredAt: TIME,
      endedAt: TIME,
      talkSeconds: SECONDS,
      result: RESULT,
      hangup: HANGUP,
    },
  ],
  firstExtension: TEXT,
  lastExtension: TEXT,
  cdrs: [TEXTS],
};

/** … of a `user_change`. */
export const USER_CHANGE: Members = { user: USER, 'state!': STATE, previous: STATE, at: TIME, reconciled: FLAG };

const AGENT: Members = { 'id!': TEXT, 'phone!': TEXT, name: TEXT, info: TEXT };

/** … of what happens to a call in a queue. */
export const QUEUE_CALL: Members = {
  legId: TEXT,
  at: TIME,
  'direction!': DIRECTION,
  client: CLIENT,
  peer: { 'extension!': TEXT, name: TEXT },
  extension: TEXT,
  user: USER,
  line: { number: TEXT, trunk: TEXT },
  queue: { 'id!': TEXT, name: TEXT },
  agent: AGENT,
  agentQueues: [TEXT],
  position: NUMBER,
  waitSeconds: SECONDS,
  ringSeconds: SECONDS,
  talkSeconds: SECONDS,
  wrapUpSeconds: SECONDS,
  transferredFrom: { 'callId!': TEXT, 'queue!': { 'id!': TEXT }, agent: AGENT },
  callInfo: TEXT,
  dialled: TEXT,
  transfer: { 'type!': TRANSFER, 'from!': TEXT, 'to!': TEXT },
  reason: TEXT,
  hangup: HANGUP,
  reconciled: FLAG,
};

const CHANGE = oneOf({
  login: true,
  logout: true,
  paused: true,
  unpaused: true,
  busy: true,
  idle: true,
} satisfies Record<AgentChangeKind, true>);

/** … of an `agent_change`. */
export const AGENT_CHANGE: Members = {
  'change!': CHANGE,
  at: TIME,
  'agent!': AGENT,
  'extension!': TEXT,
  user: USER,
  queue: { 'id!': TEXT },
  reason: TEXT,
  'state!': { 'queues!': [TEXT], 'pausedIn!': [TEXT], 'busy!': FLAG, reason: TEXT },
  reconciled: FLAG,
};

/** … of an `order_outcome`. */
export const ORDER_END: Members = {
  orderId: NUMBER,
  key: TEXT,
  'outcome!': TEXT,
  number: TEXT,
  e164: TEXT,
  extension: TEXT,
  tries: NUMBER,
  startedAt: TIME,
  answeredAt: TIME,
  endedAt: TIME,
};

/** Which member is wrong, and what it must be. */
export interface Misfit {
  readonly path: string;
  readonly en: string;
  readonly ru: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isKind = (shape: Shape): shape is Kind => 'fits' in shape && typeof shape.fits === 'function';
const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

/** The first member that does not fit. A member that may be absent and is `null` is taken away: that is how others write it. */
export function misfitIn(value: unknown, shape: Shape, path: string): Misfit | undefined {
  if (isKind(shape)) return shape.fits(value) ? undefined : { path, en: shape.en, ru: shape.ru };
  if (isList(shape)) {
    if (!Array.isArray(value)) return { path, en: 'a list', ru: 'списком' };
    return firstOf(value, (item, at) => misfitIn(item, shape[0], `${path}[${at}]`));
  }
  if (!isObject(value)) return { path, en: 'an object', ru: 'объектом' };
  return firstOf(Object.entries(shape), ([key, wanted]) => {
    const name = key.replace(/!$/, '');
    if (name === key && value[name] === null) Reflect.deleteProperty(value, name);
    if (name === key && value[name] === undefined) return undefined;
    return misfitIn(value[name], wanted, `${path}.${name}`);
  });
}

function firstOf<T>(items: readonly T[], find: (item: T, at: number) => Misfit | undefined): Misfit | undefined {
  for (const [at, item] of items.entries()) {
    const found = find(item, at);
    if (found) return found;
  }
  return undefined;
}
