import { copied } from '../text';

const MAX_CHARS = 128;

/** What tells callers apart for their caps: case, blanks, invisible marks and the forms of a letter or digit do not. */
export function callerOf(by: string): string {
  return copied(
    by
      .slice(0, MAX_CHARS)
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\s\p{C}]/gu, ''),
  );
}
