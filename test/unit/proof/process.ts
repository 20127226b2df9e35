/** The process that is killed: the records of one PBX, through the outbox, into one CRM. Made of what the nodes are made of. */
import { createCrmAccount } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import { systemClock } from '../../../lib/clock';
import { Outbox } from '../../../lib/delivery/outbox';
import { silentLog } from '../../../lib/log';
import { createPbx } from '../../../lib/pbx/pbx';
import { numberingPlan } from '../../../lib/phone';
import { createStore } from '../../../lib/store';

export interface Orders {
  readonly pbx: { readonly port: number; readonly username: string; readonly secret: string };
  readonly crm: string;
  readonly key: string;
  readonly file: string;
}

async function work({ pbx: address, crm, key, file }: Orders): Promise<void> {
  const clock = systemClock;
  const store = createStore({ file, clock, log: silentLog, retention: { days: 0, maxBytes: 100 * 1024 * 1024 } });
  await store.open();
  const account = createCrmAccount(
    {
      kind: crmKind('usercrm'),
      settings: { url: crm },
      secrets: { token: key },
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
    deliver: (event, attempt) =>
      account.deliver(event, {
        settings: {},
        attempt,
        ageMs: 0,
        memo: {
          get: (name) => store.memos.get('proof', name),
          set: (name, value) => store.memos.set('proof', name, value, 1e9),
        },
      }),
    onDelivered: () => undefined,
    onGivenUp: (event, error) => process.stderr.write(`given up: ${event.payload.eventId} ${error.message}\n`),
    onState: () => undefined,
  });
  outbox.start();
  const pbx = createPbx({
    name: 'office',
    plan: numberingPlan({ country: 'RU' }),
    connection: { kind: 'asterisk', driver: 'built-in', client: { host: '127.0.0.1', ...address } },
    calls: { live: store.live },
  });
  pbx.calls.subscribe((message) => {
    if (message.topic !== 'call_record') return;
    outbox.accept(message).catch((thrown: unknown) => process.stderr.write(`not accepted: ${String(thrown)}\n`));
  }, 'proof');
  pbx.client.onState(({ phase }) => phase === 'ready' && process.send?.('ready'));
  pbx.open();
}

work(JSON.parse(process.argv[2] ?? '{}') as Orders).catch((thrown: unknown) => {
  process.stderr.write(`${String(thrown)}\n`);
  process.exit(1);
});
