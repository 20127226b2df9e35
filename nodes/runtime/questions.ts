import { systemClock } from '../../lib/clock';
import type { FlowAnswer } from '../../lib/questions/answer';
import { QuestionBook } from '../../lib/questions/book';
import type { Question } from '../../lib/questions/book';

/** How many questions one `usercrm-in` keeps open at once; every one beyond is answered "nobody" at once. */
export const MAX_OPEN_QUESTIONS = 1000;

/** Who asked, as plain data on the message: it survives link nodes, context stores and clones. */
export interface QuestionToken {
  readonly id: string;
  readonly protocol: string;
  readonly action: string;
  /** The name of the `ami-config`, when a dialplan asked over it. */
  readonly pbx?: string;
}

const books = new Set<QuestionBook<FlowAnswer>>();

/** The book of one `usercrm-in`; `usercrm-out` finds its questions until {@link closeBook}. */
export function openBook(deadlineMs: number, onLate: (action: string) => void): QuestionBook<FlowAnswer> {
  const book = new QuestionBook<FlowAnswer>({ clock: systemClock, deadlineMs, limit: MAX_OPEN_QUESTIONS, onLate });
  books.add(book);
  return book;
}

/** Settles what is open ("nobody") and ends the book. */
export function closeBook(book: QuestionBook<FlowAnswer>): void {
  books.delete(book);
  book.close();
}

/** Takes an open question out of whichever book has it; it is then the caller's to settle. */
export function takeQuestion(id: string): Question<FlowAnswer> | undefined {
  for (const book of books) {
    const question = book.take(id);
    if (question) return question;
  }
  return undefined;
}
