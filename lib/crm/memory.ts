import { settableIn } from '../channel-variables';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock';
import type { CrmAnswer } from './types';

/** How long a client found once may be told when the CRM cannot be asked, in ms. */
const STALE_MS = 24 * 60 * 60 * 1000;
const MAX_NUMBERS = 10_000;
/** All answers together, in characters of JSON: a bound for a CRM that tells much of each number. */
const MAX_SIZE = 16 * 1024 * 1024;

const MAX_ENTITIES = 10;
const MAX_TEXT = 200;
const MAX_URL = 2000;

interface Entry {
  readonly answer: CrmAnswer;
  readonly at: number;
}

export interface MemoryOptions {
  readonly foundMs: number;
  readonly notFoundMs: number;
  readonly clock: Clock;
}

/** What the CRM said of the numbers asked last; the least recently used goes first at the bounds. */
export class AnswerMemory {
  private readonly entries = new LRUCache<string, Entry>({
    max: MAX_NUMBERS,
    maxSize: MAX_SIZE,
    sizeCalculation: ({ answer }) => JSON.stringify(answer).length,
  });

  constructor(private readonly options: MemoryOptions) {}

  get size(): number {
    return this.entries.size;
  }

  put(key: string, answer: CrmAnswer): void {
    this.entries.set(key, { answer, at: this.options.clock.monotonic() });
  }

  /** The answer, while it is as good as asking. */
  fresh(key: string): CrmAnswer | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    const { foundMs, notFoundMs } = this.options;
    return this.age(entry) < (entry.answer.found ? foundMs : notFoundMs) ? entry.answer : undefined;
  }

  /** The answer, when it is better than none: a known client, not older than a day. An old "not found" helps nobody. */
  stale(key: string): CrmAnswer | undefined {
    const entry = this.entries.get(key);
    return entry?.answer.found && this.age(entry) < STALE_MS ? entry.answer : undefined;
  }

  /** How long ago the CRM said what is remembered, in ms. */
  ageOf(key: string): number | undefined {
    const entry = this.entries.get(key);
    return entry === undefined ? undefined : this.age(entry);
  }

  forget(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  private age(entry: Entry): number {
    return this.options.clock.monotonic() - entry.at;
  }
}

/** One line of a bearable length: what a CRM says may end up in a header, a dialplan or a terminal. */
function clip(text: string, max = MAX_TEXT): string {
  const line = text.slice(0, 2 * max).replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** The answer with everything cut to a size that a phone, a message and the memory can bear. */
export function bounded(answer: CrmAnswer): CrmAnswer {
  if (!answer.found) return answer;
  const entities = answer.entities.slice(0, MAX_ENTITIES).map((entity) => ({
    ...entity,
    type: clip(entity.type),
    id: clip(entity.id),
    ...(entity.name === undefined ? {} : { name: clip(entity.name) }),
    ...(entity.ownerId === undefined ? {} : { ownerId: clip(entity.ownerId) }),
    // A cut address leads elsewhere: rather none.
    ...(entity.url === undefined || entity.url.length <= MAX_URL ? {} : { url: '' }),
  }));
  const { owner } = answer;
  return {
    ...answer,
    name: clip(answer.name),
    entities,
    ...(answer.variables === undefined ? {} : { variables: settableIn(answer.variables) }),
    ...(owner === undefined
      ? {}
      : {
          owner: {
            ...owner,
            ...(owner.id === undefined ? {} : { id: clip(owner.id) }),
            ...(owner.name === undefined ? {} : { name: clip(owner.name) }),
            ...(owner.extension === undefined ? {} : { extension: clip(owner.extension) }),
          },
        }),
  };
}
