/** The process that is killed: the records of one PBX, through the outbox, into one CRM. Made of what the nodes are made of. */
import { createCrmAccount } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import type { UserMapping } from '../../../lib/crm/types';
import { systemClock } from '../../../lib/clock';
import { Outbox } from '../../../lib/delivery/outbox';
import { silentLog } from '../../../lib/log';
import { createPbx } from '../../../lib/pbx/pbx';
import { numberingPlan } from '../../../lib/phone';
import { createStore } from '../../../lib/store';
import type { LiveCallTable } from '../../../lib/store/types';

export interface Orders {
  readonly pbx: { readonly port: number; readonly username: string; readonly secret: string };
  readonly crm: {
    readonly kind: string;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly token: string;
    readonly users: readonly UserMapping[];
    /** What was chosen for deliveries. */
    readonly choices: Readonly<Record<string, unknown>>;
  };
  readonly file: string;
}

/** What the process tells: it is logged in to the PBX, or these calls are on disk. */
export type Word = 'ready' | { readonly onDisk: readonly string[] };

const tell = (word: Word): void => void process.send?.(word);

/** Tells which calls are on disk. */
const telling = (live: LiveCallTable): LiveCallTable => ({
  load: (pbx) => live.load(pbx),
  save: async (pbx, changed, forgotten) => {
    const unkept = await live.save(pbx, changed, forgotten);
    tell({ onDisk: changed.map(({ callId }) => callId) });
    return unkept;
  },
});

async function work({ pbx: address, crm, file }: Orders): Promise<void> {
  const clock = systemClock;
  const store = createStore({ file, clock, log: silentLog, retention: { days: 0, maxBytes: 100 * 1024 * 1024 } });
  await store.open();
  const account = createCrmAccount(
    {
      kind: crmKind(crm.kind),
      settings: crm.settings,
      secrets: { token: crm.token },
      users: crm.users,
      limits: { perSecond: 500, burst: 500 },
    },
    { clock, log: silentLog },
  );
  const outbox = new Outbox({
    queue: 'proof',
    table: store.outbox,
    clock,
    log: silentLog,
    giveUpMs: 86_400_000,
    deliver: (event, attempt, ageMs) => {
      const scope = 'callId' in event.payload ? event.payload.callId : '';
      return account.deliver(event, {
        settings: crm.choices,
        attempt,
        ageMs,
        memo: {
          get: (name) => store.memos.get(scope, name),
          set: (name, value) => store.memos.set(scope, name, value, 1e9),
        },
      });
    },
    onDelivered: () => undefined,
    onGivenUp: (event, error) => process.stderr.write(`given up: ${event.payload.eventId} ${error.message}\n`),
    onState: () => undefined,
  });
  outbox.start();
  const pbx = createPbx({
    name: 'office',
    plan: numberingPlan({ country: 'RU' }),
    connection: { kind: 'asterisk', driver: 'built-in', client: { host: '127.0.0.1', ...address } },
    calls: { live: { table: telling(store.live), key: 'office' } },
  });
  pbx.calls.subscribe((message) => {
    if (message.topic !== 'call_record') return;
    outbox.accept(message).catch((thrown: unknown) => process.stderr.write(`not accepted: ${String(thrown)}\n`));
  }, 'proof');
  pbx.client.onState(({ phase }) => phase === 'ready' && tell('ready'));
  pbx.open();
}

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0));

work(JSON.parse(process.argv[2] ?? '{}') as Orders).catch((thrown: unknown) => {
  process.stderr.write(`${String(thrown)}\n`);
  process.exit(1);
});
