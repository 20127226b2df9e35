import type { CrmAccount } from '../../lib/crm/account';
import type { OrderPoll } from '../../lib/crm/order-poll';
import type { WaitingOrder } from '../../lib/crm/types';
import type { TelephonyError } from '../../lib/errors';
import { bitrix24Order } from '../../lib/protocols/bitrix24-events';
import type { Fields } from '../../lib/protocols/types';
import { Claims } from './claims';
import { whenTaken } from './taken';

export interface WaitingOrdersOptions {
  readonly account: CrmAccount;
  readonly serves: (action: string) => boolean;
  readonly tell: (action: string, payload: Fields) => void;
  /** Something that the operator should read; `key`: of its words. */
  readonly complain: (
    key: 'expired' | 'not-served' | 'not-understood',
    values: Readonly<Record<string, string>>,
  ) => void;
  /** `undefined`: it works. */
  readonly onState: (error: TelephonyError | undefined) => void;
  /** Whether another node fetches from this account already. */
  readonly onTurn: (mine: boolean) => void;
}

/** A flow that has not answered by then does something else with the order. */
const TAKEN_WITHIN_MS = 30_000;

/** One node at a time fetches from an account: two would share the clicks between them. */
const claims = new WeakMap<CrmAccount, Claims<object>>();

/** Fetches what Bitrix24 keeps for `usercrm-in`. The returned function ends it. */
export function fetchWaitingOrders(options: WaitingOrdersOptions): () => void {
  const { account, onTurn } = options;
  const all = claims.get(account) ?? new Claims<object>();
  claims.set(account, all);
  const ended = new AbortController();
  let poll: OrderPoll | undefined;
  const leave = all.claim('orders', options, (mine) => {
    if (mine) poll = begin(options, ended.signal);
    onTurn(mine);
  });
  return () => {
    poll?.close();
    ended.abort();
    leave();
  };
}

function begin(
  { account, serves, tell, complain, onState }: WaitingOrdersOptions,
  signal: AbortSignal,
): OrderPoll | undefined {
  const order = async ({ id, event, data, goodForMs }: WaitingOrder, ageMs: number): Promise<void> => {
    const told = bitrix24Order(event, data, id);
    if (told === undefined) {
      complain('not-understood', { event });
      return;
    }
    const { command, key, payload } = told;
    if (!serves(command)) {
      complain('not-served', { action: command });
      return;
    }
    const leftMs = Math.max(goodForMs - ageMs, 1000);
    const taken = whenTaken(key, Math.min(leftMs, TAKEN_WITHIN_MS), signal);
    // Who has clicked is called at once or not at all. How long a form is good for is the flow's choice.
    tell(command, command === 'make_call' ? { ...payload, expiresInSeconds: Math.ceil(leftMs / 1000) } : payload);
    await taken;
  };
  return account.pollOrders({
    onOrder: (waiting, ageMs) =>
      order(waiting, ageMs).catch(() => complain('not-understood', { event: waiting.event })),
    onExpired: ({ event }) => complain('expired', { event }),
    onState,
  });
}
