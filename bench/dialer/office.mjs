import { createRequire } from 'node:module';
import { join } from 'node:path';
import { openOurs } from '../store/ours.mjs';
import { orderOf } from './orders.mjs';

const require = createRequire(import.meta.url);
const fromPack = (...path) => require(join(process.env.BENCH_PACK, 'dist', 'lib', ...path));
const log = { info: () => {}, debug: () => {}, warn: (what) => process.stderr.write(`${what.message ?? what}\n`) };

export const LINES = 256;
const DAY_MS = 86_400_000;
const EVERY_DAY = [{ days: [1, 2, 3, 4, 5, 6, 7], from: 0, to: 24 * 60 }];

/** What a node has that dials autocalls: the file, the link, the rules, and the dialler over them. Nothing is begun. */
export async function openOffice({ file, address, play = 'dialplan', settings = {}, ...told }) {
  const { systemClock: clock } = fromPack('clock.js');
  const { numberingPlan } = fromPack('phone', 'index.js');
  const { timeZonesOf } = fromPack('phone', 'time-zones.js');
  const { DEFAULT_DIALLING } = fromPack('outbound', 'defaults.js');
  const { createPbx } = fromPack('pbx', 'pbx.js');
  const { createAmiLine } = fromPack('dialer', 'line', 'ami-line.js');
  const { dialplanScript, playbackScript } = fromPack('dialer', 'autocall', 'script.js');
  const { Dialer } = fromPack('dialer', 'dialer.js');
  const { readOrder } = fromPack('dialer', 'order.js');
  const openings = fromPack('dialer', 'windows.js');

  const store = await openOurs(file);
  const { orders, blocked } = store;
  const channels = [{ prefix: '', channel: 'PJSIP/{number}@trunk' }];
  const pbx = createPbx(
    {
      name: 'Office',
      connection: { kind: 'asterisk', driver: 'built-in', client: address ?? { host: '127.0.0.1', port: 0 } },
      plan: numberingPlan({ country: 'RU' }),
      dialling: { ...DEFAULT_DIALLING, channels, dialAs: 'digits', perMinute: 10_000 },
    },
    { clock, log },
  );
  const line = createAmiLine({
    client: pbx.client,
    plan: pbx.plan,
    dialling: pbx.dialling,
    clock,
    log,
    script: play === 'playback' ? playbackScript() : dialplanScript({ clock, log }),
    orders: {
      isOver: async (name, id, attempt) => {
        const stored = await orders.get(id);
        const isInAir = stored?.state === 'in-air' && stored.tries === attempt;
        return !isInAir && (await orders.name) === name;
      },
    },
  });
  const nothing = () => {};
  const dialer = new Dialer({
    ...{
      queue: 'node1',
      mode: 'autocall',
      pbx: 'Office',
      orders,
      blocked,
      line,
      plan: pbx.plan,
      openings,
      clock,
      log,
      lang: 'en',
    },
    ...{ onProgress: nothing, onOutcome: nothing, onState: nothing, ...told },
    guard: pbx.dialling.guard,
    settings: { lines: LINES, trunkLines: {}, windows: EVERY_DAY, maxWaiting: 1_000_000, ...settings },
  });
  const ofNode = {
    mode: 'autocall',
    tries: 3,
    periodMs: 60_000,
    variables: {},
    files: [],
    triesOf: {},
    ringMs: 30_000,
  };
  return {
    pbx,
    dialer,
    /** As a message that orders it does; resolves with the first answer. */
    async place(n) {
      const order = await readOrder(
        orderOf(n),
        { ...ofNode, detectMachine: false, expiresMs: DAY_MS },
        { plan: pbx.plan, now: clock.now(), timeZonesOf },
      );
      let first;
      await dialer.place(order, undefined, (answer) => (first = answer));
      return first;
    },
    async close() {
      await dialer.close();
      await line.close();
      await pbx.close();
      await store.close();
    },
  };
}
