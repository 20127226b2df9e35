export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const medianOf = (items, key) => median(items.map((item) => item[key]));

/** The value that `share` (0.99) of all values do not exceed. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** The same items, beginning elsewhere in each round: nobody always runs first or behind the same one. */
export function rotated(items, round) {
  const from = (round * Math.ceil(items.length / 3)) % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
