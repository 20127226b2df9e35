/** One that has just begun may take log-ins before it knows all its actions (measured on 22.10). */
const WAITS_MS = [1000, 5000, 30_000];

/** How long to wait, in ms, after Asterisk could not say something for the first (0), second … time. */
export function askAgainAfter(attempt: number): number {
  return WAITS_MS[Math.min(attempt, WAITS_MS.length - 1)] ?? 0;
}
