/**
 * Records of calls arrive within a minute and go through the outbox as the nodes have it into one CRM. Arguments: CRM, calls, file of
 * the store. Sends its parent how long it took, by a time in which waiting costs none.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { portals, USERS } from './portals.mjs';
import { numberOf, record } from './record.mjs';
import { JumpingTime } from './time.mjs';

const require = createRequire(import.meta.url);
const fromPack = (...path) => require(join(process.env.BENCH_PACK, 'dist', 'lib', ...path));
const { createStore } = fromPack('store', 'index.js');
const { createCrmAccount } = fromPack('crm', 'account.js');
const { crmKind } = fromPack('crm', 'kinds', 'index.js');
const { Outbox } = fromPack('delivery', 'outbox.js');
const { silentLog: log } = fromPack('log.js');

const [crm, calls, file] = process.argv.slice(2);
const count = Number(calls);
const ARRIVE_WITHIN_MS = 60_000;
/** What a CRM in the cloud takes for an answer. */
const ANSWER_MS = 300;

const time = new JumpingTime();
const { clock } = time;
const portal = await portals[crm].open({ clock, numbers: Array.from({ length: count }, (_, n) => numberOf(n)) });
time.delay(portal.server, ANSWER_MS);
const store = createStore({ file, clock, log, retention: { days: 0, maxBytes: 2 ** 40 } });
await store.open();
const [table, memos] = [store.outbox, store.memos].map((one) => time.during(one));
const account = createCrmAccount(
  { kind: crmKind(portal.kind), settings: portal.settings, secrets: portal.secrets, users: USERS },
  { clock, log },
);

let delivered = 0;
let lastAt = 0;
const givenUp = [];
const outbox = new Outbox({
  queue: 'bench',
  table,
  clock,
  log,
  giveUpMs: 86_400_000,
  deliver: (event, attempt, ageMs) => {
    const scope = event.payload.callId;
    const memo = {
      get: (name) => memos.get(scope, name),
      set: (name, value) => memos.set(scope, name, value, 86_400_000),
    };
    return account.deliver(event, { settings: {}, attempt, ageMs, memo });
  },
  onDelivered: () => {
    delivered += 1;
    lastAt = clock.monotonic();
  },
  onGivenUp: (_event, error) => givenUp.push(error.message),
  onState: () => {},
});
outbox.start();

const startedAt = clock.monotonic();
for (let n = 0; n < count; n += 1) {
  clock.after((n / count) * ARRIVE_WITHIN_MS, () => {
    const { extension } = USERS[n % USERS.length];
    time.standStill(outbox.accept(record(n, extension, clock.now()))).catch((thrown) => givenUp.push(String(thrown)));
  });
}
const cpu = process.cpuUsage();
await time.run(() => delivered + givenUp.length >= count);
const { user, system } = process.cpuUsage(cpu);

const counted = portal.counted();
if (givenUp.length > 0) throw new Error(`${givenUp.length} given up: ${givenUp[0]}`);
if (counted.length !== count || new Set(counted).size !== count) {
  throw new Error(`${counted.length} calls counted, ${new Set(counted).size} of them different, ${count} told`);
}
const requests = portal.server.requests.length;
const { perSecond, burst } = portal.limit;
const result = {
  seconds: (lastAt - startedAt) / 1000,
  /** Nobody can be done sooner: the requests that it takes, as fast as the CRM allows; and the last call must have come. */
  floor: Math.max((count * portal.requestsPerRecord - burst) / perSecond, ARRIVE_WITHIN_MS / 1000),
  requests,
  refused: portal.refused(),
  cpuMs: (user + system) / 1000,
  perSecond,
  burst,
};
await outbox.close();
await account.close();
await store.close();
await portal.stop();
process.send(result, () => process.exit(0));
