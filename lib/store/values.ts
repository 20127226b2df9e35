import { storeError } from './errors';

const MAX_TEXT = 512;

/** A name or an id: the file cuts text at a NUL, and two that differ only behind it would be taken for one. */
export function checkText(what: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT || value.includes('\0')) {
    throw storeError('STORE_BAD_VALUE', { what });
  }
  return value;
}

/** A text of bounded size, in bytes of UTF-8. */
export function checkBytes(what: string, value: string, limit: number): void {
  if (typeof value !== 'string' || value.includes('\0')) throw storeError('STORE_BAD_VALUE', { what });
  if (value.length <= limit / 3) return;
  const bytes = Buffer.byteLength(value);
  if (bytes > limit) throw storeError('STORE_TOO_LARGE', { what, bytes, limit });
}

/** A moment in wall-clock ms, or another whole number. */
export function checkMs(what: string, value: number): void {
  if (!Number.isSafeInteger(value)) throw storeError('STORE_BAD_VALUE', { what });
}
