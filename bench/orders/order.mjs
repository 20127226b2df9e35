/** When the orders of a campaign may be dialled: of the first half only in the morning, of the other half at once. */
export const NOW = 1_760_000_000_000;
export const MORNING = NOW + 10 * 3_600_000;

/** An autocall as a dialler keeps it, about 700 bytes. The `n`th of `of`. */
export function order(n, of) {
  const number = String(79_160_000_000 + n);
  return {
    queue: 'node1',
    key: `notice-${n}`,
    priority: 5,
    queuedAt: NOW - of + n,
    notBefore: n < of / 2 ? MORNING : NOW,
    expiresAt: MORNING + 3_600_000 + n,
    body: JSON.stringify({ mode: 'autocall', number, e164: `+${number}`, files: ['notice/a'], note: 'x'.repeat(580) }),
  };
}
