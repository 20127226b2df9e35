import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../clock';

/** Something that somebody outside waits for an answer to. */
export interface Question<Answer> {
  /** What is asked: `route`, `test`, or a protocol's command. */
  readonly action: string;
  /** How long it stays open, in ms, when that is not {@link QuestionBookOptions.deadlineMs}. */
  readonly deadlineMs?: number;
  /**
   * Called exactly once, unless the question is forgotten: with the answer, or with `undefined` when none came in time.
   * Throws only for an answer that cannot be told as it stands; the asker is served all the same.
   */
  settle(answer: Answer | undefined): void;
}

export interface QuestionBookOptions {
  readonly clock: Clock;
  /** How long a question stays open, in ms. */
  readonly deadlineMs: number;
  /** How many may be open at once; one more is not taken in. */
  readonly limit: number;
  /** Told of every question that nobody answered in time. */
  readonly onLate?: (action: string) => void;
}

interface Entry<Answer> {
  readonly question: Question<Answer>;
  readonly timer: Timer;
}

/**
 * The questions that wait for a flow to answer. Every question that is taken in is settled once: by an answer, by its
 * deadline, or by the end of the book; one whose asker went away is forgotten.
 */
export class QuestionBook<Answer> {
  private readonly entries = new Map<string, Entry<Answer>>();
  private closed = false;

  constructor(private readonly options: QuestionBookOptions) {}

  /** How many questions are open. */
  get size(): number {
    return this.entries.size;
  }

  /** Takes a question in and names it; `undefined` when the book is full or closed: then it is the caller's to settle. */
  ask(question: Question<Answer>): string | undefined {
    if (this.closed || this.entries.size >= this.options.limit) return undefined;
    const id = randomUUID();
    const timer = this.options.clock.after(question.deadlineMs ?? this.options.deadlineMs, () => {
      this.entries.delete(id);
      question.settle(undefined);
      this.options.onLate?.(question.action);
    });
    this.entries.set(id, { question, timer });
    return id;
  }

  /** Takes a question out to be settled by the caller; `undefined` when it is not open (any more). */
  take(id: string): Question<Answer> | undefined {
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    entry.timer.cancel();
    this.entries.delete(id);
    return entry.question;
  }

  /** The asker went away: nothing is to be told to anybody. */
  forget(id: string): void {
    this.take(id);
  }

  /** Settles everything that is open with `undefined` and takes nothing in any more. Idempotent. */
  close(): void {
    this.closed = true;
    for (const id of [...this.entries.keys()]) this.take(id)?.settle(undefined);
  }
}
