/** The process that is killed: orders, a store, a link, and what dials. Made of what the node `originate` is made of. */
import { createAmiClient } from '../../../lib/ami';
import { systemClock } from '../../../lib/clock';
import { dialplanScript } from '../../../lib/dialer/autocall/script';
import { Dialer } from '../../../lib/dialer/dialer';
import { createAmiLine } from '../../../lib/dialer/line/ami-line';
import type { DialerSettings, Order, OrderOutcome, OrderProgress } from '../../../lib/dialer/types';
import { isOpen, nextClosing, nextOpening } from '../../../lib/dialer/windows';
import { asError } from '../../../lib/errors';
import type { Log } from '../../../lib/log';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import { createGuard } from '../../../lib/outbound/guard';
import type { DialSettings } from '../../../lib/outbound/types';
import { numberingPlan } from '../../../lib/phone';
import { createStore } from '../../../lib/store';

export interface Work {
  readonly amiPort: number;
  /** Of the store. */
  readonly file: string;
  readonly dialling: Partial<DialSettings>;
  readonly settings: DialerSettings;
}

/** What the process tells. */
export type Word =
  | { readonly kind: 'link'; readonly isUp: boolean; readonly isReady: boolean }
  | { readonly kind: 'progress'; readonly progress: OrderProgress }
  | { readonly kind: 'outcome'; readonly outcome: OrderOutcome }
  | { readonly kind: 'refused'; readonly key: string | undefined; readonly code: string }
  | { readonly kind: 'warned'; readonly text: string };

/** What it is told: orders, each with a key. */
export type Task = { readonly place: readonly Order[] } | 'cancel';

const tell = (word: Word): void => void process.send?.(word);

async function work({ amiPort: port, file, dialling, settings }: Work): Promise<void> {
  const clock = systemClock;
  const log: Log = {
    info: () => undefined,
    debug: () => undefined,
    warn: (what) => tell({ kind: 'warned', text: typeof what === 'string' ? what : `${what.code} ${what.message}` }),
  };
  const plan = numberingPlan({ country: 'RU' });
  const store = createStore({ file, clock, log, retention: { days: 0, maxBytes: 100 * 1024 * 1024 } });
  await store.open();
  const { orders, blocked } = store;
  const client = createAmiClient({ host: '127.0.0.1', port, username: 'autocall', secret: 'autocall-secret' });
  const dial = { ...DEFAULT_DIALLING, ...dialling };
  const line = createAmiLine({
    client,
    plan,
    clock,
    log,
    dialling: { settings: dial },
    script: dialplanScript({ clock, log }),
    orders: {
      isOver: async (name, id, attempt) => {
        const stored = await orders.get(id);
        const isInAir = stored?.state === 'in-air' && stored.tries === attempt;
        return !isInAir && (await orders.name) === name;
      },
    },
  });
  const dialer = new Dialer({
    mode: 'autocall',
    queue: 'proof',
    pbx: 'office',
    orders,
    blocked,
    line,
    plan,
    settings,
    clock,
    log,
    guard: createGuard(dial, plan, clock),
    openings: { isOpen, nextClosing, nextOpening },
    lang: 'en',
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    onOutcome: (outcome) => tell({ kind: 'outcome', outcome }),
    onState: () => undefined,
  });
  const tellLink = (): void => tell({ kind: 'link', isUp: client.state.phase === 'ready', isReady: line.isReady });
  client.onState(tellLink);
  line.onReady(tellLink);
  dialer.start();
  client.connect();
  const place = (order: Order): Promise<void> =>
    dialer
      .place(order, undefined, (progress) => tell({ kind: 'progress', progress }))
      .catch((thrown: unknown) => {
        tell({ kind: 'refused', key: order.key, code: (asError(thrown) as { code?: string }).code ?? String(thrown) });
      });
  process.on('message', (task: Task) => {
    if (task === 'cancel') void dialer.cancelAll();
    else for (const order of task.place) void place(order);
  });
}

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0));

work(JSON.parse(process.argv[2] ?? '{}') as Work).catch((thrown: unknown) => {
  process.stderr.write(`${String(thrown)}\n`);
  process.exit(1);
});
