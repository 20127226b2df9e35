/**
 * The same text in memory of its own. In V8 a slice of 13 characters or more holds on to the whole text it was cut from, for as long as
 * the slice is kept.
 */
export function copied(text: string): string {
  // Joining writes a new text; a third of the time of a way over bytes and back.
  return [text.slice(0, 1), text.slice(1)].join('');
}

/** Whether it is one line: no control character of any kind. */
export const isOneLine = (text: string): boolean => !/\p{Cc}/u.test(text);
