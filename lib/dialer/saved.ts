import type { StoredOrder } from '../store/types';
import type { Cause, Order, RetriedOutcome } from './types';

/** What the store keeps of an order as its body. */
export interface SavedOrder {
  readonly order: Order;
  /** What the flow gets back with the outcome, beside it: who waits for it. */
  readonly reply?: unknown;
  /** Of this order alone: tells it in the store when its number is not known. */
  readonly token?: string;
}

/** What the dialler noted of the tries so far. */
export interface Notes {
  /** How many tries failed in which way. */
  readonly failed: Readonly<Partial<Record<RetriedOutcome, number>>>;
  /** How many times in a row nothing reached the PBX. */
  readonly unsent: number;
  readonly cause?: Cause;
}

/** `undefined`: what stands in the store is no order. */
export function savedOrder({ body }: Pick<StoredOrder, 'body'>): SavedOrder | undefined {
  try {
    const saved = JSON.parse(body) as Partial<SavedOrder> | null;
    return typeof saved?.order?.mode === 'string' ? (saved as SavedOrder) : undefined;
  } catch {
    return undefined;
  }
}

export function notesOf({ notes }: Pick<StoredOrder, 'notes'>): Notes {
  return notes === undefined ? { failed: {}, unsent: 0 } : (JSON.parse(notes) as Notes);
}
