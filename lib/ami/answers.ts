import type { Clock, Timer } from '../clock';
import type { TelephonyError, Text } from '../errors';
import { amiError } from './errors';
import { MAX_LIST_CHARS, MAX_LIST_ITEMS } from './limits';
import type { ReadMessage } from './transport';
import type { AmiMessage } from './types';

const ITEMS: Text = { en: 'items', ru: 'записей' };
const CHARACTERS: Text = { en: 'characters', ru: 'знаков' };

interface Waiting {
  readonly action: string;
  readonly timer: Timer;
  readonly list?: List;
  reject(error: TelephonyError): void;
  answer(message: AmiMessage): void;
}

interface List {
  readonly items: AmiMessage[];
  chars: number;
  resolve(items: AmiMessage[]): void;
}

/** How large one event list may get. */
export interface ListLimits {
  readonly items: number;
  readonly chars: number;
}

/**
 * The actions of one connection that wait for their answer. Each settles exactly once: by its answer, by its time-out
 * or by the end of the connection. What comes for an id that no longer waits is late, and ignored.
 */
export class Answers {
  private readonly waiting = new Map<string, Waiting>();
  private lists = 0;

  constructor(
    private readonly clock: Clock,
    private readonly place: string,
    private readonly limits: ListLimits = { items: MAX_LIST_ITEMS, chars: MAX_LIST_CHARS },
  ) {}

  get size(): number {
    return this.waiting.size;
  }

  /** Whether events may be items of a list. */
  get collecting(): boolean {
    return this.lists > 0;
  }

  /** Waits for the answer to an action that is about to be sent. */
  one(id: string, action: string, ms: number): Promise<AmiMessage> {
    return new Promise((resolve, reject) => {
      const answer = (message: AmiMessage): void => {
        this.remove(id);
        resolve(message);
      };
      this.waiting.set(id, { action, timer: this.timeOut(id, action, ms), reject, answer });
    });
  }

  /** Waits for the list that an action asks for; `ms` is for the whole of it. */
  many(id: string, action: string, ms: number): Promise<AmiMessage[]> {
    return new Promise((resolve, reject) => {
      const answer = (message: AmiMessage): void => {
        if (message.name === 'Error') this.refused(id, message);
      };
      const list: List = { items: [], chars: 0, resolve };
      this.lists++;
      this.waiting.set(id, { action, timer: this.timeOut(id, action, ms), list, reject, answer });
    });
  }

  /** Takes a `Response`. */
  answer(message: AmiMessage): void {
    this.waiting.get(message.get('ActionID') ?? '')?.answer(message);
  }

  /** Takes an event that belongs to the list `id`. */
  item(id: string, message: ReadMessage): void {
    const list = this.waiting.get(id)?.list;
    if (!list) return;
    const mark = message.get('EventList')?.toLowerCase();
    if (mark === 'complete') {
      this.remove(id);
      list.resolve(list.items);
    } else if (mark === 'cancelled') {
      this.refused(id, message);
    } else {
      list.items.push(message);
      list.chars += message.chars;
      if (list.items.length > this.limits.items) this.tooLong(id, this.limits.items, ITEMS);
      else if (list.chars > this.limits.chars) this.tooLong(id, this.limits.chars, CHARACTERS);
    }
  }

  /** The connection is over: rejects everything that still waits. */
  end(errorFor: (action: string) => TelephonyError): void {
    for (const id of [...this.waiting.keys()]) this.fail(id, errorFor);
  }

  private timeOut(id: string, action: string, ms: number): Timer {
    return this.clock.after(ms, () => this.fail(id, () => amiError('AMI_TIMEOUT', { place: this.place, action, ms })));
  }

  private refused(id: string, answer: AmiMessage): void {
    const message = answer.get('Message') ?? answer.name;
    this.fail(id, (action) => amiError('AMI_ACTION_FAILED', { place: this.place, action, message }));
  }

  private tooLong(id: string, limit: number, unit: Text): void {
    const params = { place: this.place, limit, unitEn: unit.en, unitRu: unit.ru };
    this.fail(id, (action) => amiError('AMI_LIST_TOO_LONG', { ...params, action }));
  }

  private fail(id: string, errorFor: (action: string) => TelephonyError): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.remove(id);
    waiting.reject(errorFor(waiting.action));
  }

  private remove(id: string): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    waiting.timer.cancel();
    if (waiting.list) this.lists--;
    this.waiting.delete(id);
  }
}
