import type { StoredOrder } from '../store/types';
import type { Ending } from './decide';
import { orderError } from './errors';
import type { Ledger } from './ledger';
import type { DialerOptions } from './options';
import { savedOrder } from './saved';

const PAGE = 200;

/** Whose order is ended must not be dialled meanwhile. */
export interface Withdrawal {
  /** `false`: it is in the air, or something is being written of it. */
  withdraw(id: number): boolean;
  leave(id: number): void;
}

/**
 * Ends every waiting order whose time is over. One that cannot be ended stays for the next time, and keeps none of the others; then this
 * rejects with why.
 */
export async function endExpired(options: DialerOptions, ledger: Ledger, from: Withdrawal, now: number): Promise<void> {
  const { orders, queue, line } = options;
  const { aging } = ledger;
  const until = now + aging.most;
  const why = ledger.isHeld ? 'ORDER_EXPIRED_PAUSED' : line.isReady ? 'ORDER_EXPIRED' : 'ORDER_EXPIRED_NO_LINK';
  const ending: Ending = { outcome: 'expired', error: orderError(why), endedAt: now };
  const end = (stored: StoredOrder): Promise<boolean> =>
    ledger.end(stored, savedOrder(stored), ending).finally(() => from.leave(stored.id));
  for (;;) {
    const page = await ledger.durable.once(() => orders.expired(queue, until, PAGE));
    const mine = page.filter((stored) => aging.expiry(stored) <= now && from.withdraw(stored.id));
    const ends = await Promise.allSettled(mine.map(end));
    for (const one of ends) if (one.status === 'rejected') throw one.reason;
    if (page.length < PAGE || mine.length === 0) return;
  }
}
