import { systemClock } from '../../lib/clock';

const waiting = new Map<string, () => void>();
/** Beyond it nobody waits: the order counts as taken at once. */
const MAX_WAITING = 1000;

/**
 * Resolves when some `originate` has answered the order with this key: it is on disk, or refused. After `ms` milliseconds too, because
 * a flow may do something else with it; and when aborted.
 */
export function whenTaken(key: string, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || waiting.size >= MAX_WAITING) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      if (waiting.get(key) === end) waiting.delete(key);
      resolve();
    };
    const timer = systemClock.after(ms, end);
    waiting.set(key, end);
    signal.addEventListener('abort', end);
  });
}

/** An order was answered; `payload` is the message's. */
export function tellTaken(payload: unknown): void {
  const key = typeof payload === 'object' && payload !== null ? (payload as { readonly key?: unknown }).key : undefined;
  if (typeof key === 'string') waiting.get(key)?.();
}
