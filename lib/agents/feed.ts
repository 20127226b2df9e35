import { randomBytes } from 'node:crypto';
import { agentError } from './errors';

/** Events that are kept for a listener whose connection is away; beyond it the oldest go. */
const MAX_KEPT = 100;
/** Extensions with kept events; beyond it, the one that was told of nothing the longest loses its own. */
const MAX_EXTENSIONS = 2000;
const MAX_TABS = 10;
const MAX_LISTENERS = 2000;

export interface FeedEvent {
  /** Of this process; a page gives the last one that it saw when it connects again. Absent: it is not kept. */
  readonly id?: string;
  readonly name: string;
  readonly data: unknown;
}

export type FeedListener = (event: FeedEvent) => void;

interface Kept extends FeedEvent {
  readonly id: string;
}

interface Seat {
  readonly kept: Kept[];
  readonly listeners: Set<FeedListener>;
}

/** Who is told what: each event has one extension, and only those who listen for it are told. */
export class Feed {
  private readonly run = randomBytes(6).toString('hex');
  private readonly seats = new Map<string, Seat>();
  private count = 0;
  private listening = 0;

  /** Who listens now. */
  get extensions(): readonly string[] {
    return [...this.seats].flatMap(([extension, { listeners }]) => (listeners.size > 0 ? [extension] : []));
  }

  /** Tells those who listen now, and nobody later. */
  show(extension: string, name: string, data: unknown): void {
    for (const listener of [...(this.seats.get(extension)?.listeners ?? [])]) listener({ name, data });
  }

  tell(extension: string, name: string, data: unknown): void {
    const seat = this.seatOf(extension);
    const event = { id: `${this.run}-${++this.count}`, name, data };
    // Put at the end: the first of the map was told of nothing the longest.
    this.seats.delete(extension);
    this.seats.set(extension, seat);
    seat.kept.push(event);
    if (seat.kept.length > MAX_KEPT) seat.kept.shift();
    for (const listener of [...seat.listeners]) listener(event);
  }

  /**
   * Calls `listener` for each event of the extension from now on, and first, before it returns, for those after `lastId` that are
   * still kept. Who names the id of an earlier process has seen none of this one; nothing is repeated to who names none. Throws
   * `AGENT_TOO_MANY_TABS`. Returns the function that ends it.
   */
  listen(extension: string, listener: FeedListener, lastId = ''): () => void {
    if (this.isFull(extension)) throw agentError('AGENT_TOO_MANY_TABS');
    const seat = this.seatOf(extension);
    for (const event of this.after(seat, lastId)) listener(event);
    seat.listeners.add(listener);
    this.listening += 1;
    return () => {
      if (seat.listeners.delete(listener)) this.listening -= 1;
    };
  }

  /** Whether {@link listen} would refuse one more. */
  isFull(extension: string): boolean {
    return (this.seats.get(extension)?.listeners.size ?? 0) >= MAX_TABS || this.listening >= MAX_LISTENERS;
  }

  private after({ kept }: Seat, lastId: string): readonly FeedEvent[] {
    const [run, count = ''] = lastId.split('-');
    if (lastId === '') return [];
    if (run !== this.run) return kept;
    return kept.filter(({ id }) => Number(id.slice(this.run.length + 1)) > Number(count));
  }

  private seatOf(extension: string): Seat {
    const known = this.seats.get(extension);
    if (known) return known;
    if (this.seats.size >= MAX_EXTENSIONS) {
      const idle = [...this.seats].find(([, { listeners }]) => listeners.size === 0);
      if (idle) this.seats.delete(idle[0]);
    }
    const seat = { kept: [], listeners: new Set<FeedListener>() };
    this.seats.set(extension, seat);
    return seat;
  }
}
