import assert from 'node:assert/strict';
import type { AutocallOrder, DialerSettings, Outcome } from '../../lib/dialer/types';
import { until } from '../support/wait';
import { autocallOrder } from '../unit/dialer/support/orders';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { ChannelCounter } from './support/channel-counter';
import { type ClientKind, Clients } from './support/clients';
import { KillableDialler } from './support/killable-dialler';
import { describeAsterisk } from './support/roots';

/** More of them in the long form: DIALLER_KILLS=100. */
const KILLS = Number(process.env.DIALLER_KILLS ?? 7);

/** 0.4 s each, and 16 s. */
const SHORT = ['beep', 'beeperr'] as const;
const LONG = 'tt-monkeys';
const LINES = 5;
const SECOND_TRUNK_LINES = 2;
const DIALLING = {
  dialAs: 'digits',
  channels: [
    { prefix: '', channel: 'PJSIP/{number}@client' },
    { prefix: '7904', channel: 'PJSIP/{number}@103' },
  ],
} as const;
const SETTINGS: DialerSettings = {
  lines: LINES,
  trunkLines: { 'PJSIP/103': SECOND_TRUNK_LINES },
  windows: [],
  maxWaiting: 1000,
};

interface Kind {
  readonly client: ClientKind;
  readonly order?: Partial<AutocallOrder>;
  /** How it ends when nothing goes wrong on the way. */
  readonly outcome: Outcome;
  readonly tries: number;
  readonly heard?: number;
}

const TWICE = { tries: 2, periodMs: 1000 } as const;
const KINDS: readonly Kind[] = [
  { client: 'patient', outcome: 'answered', tries: 1, heard: 2 },
  { client: 'confirming', order: { prompt: LONG }, outcome: 'confirmed', tries: 1, heard: 2 },
  { client: 'busy', order: TWICE, outcome: 'busy', tries: 2 },
  { client: 'away', order: TWICE, outcome: 'no-answer', tries: 2 },
  { client: 'impatient', order: { files: [SHORT[0], LONG], ...TWICE }, outcome: 'heard-partly', tries: 1, heard: 1 },
  { client: 'machine', order: { detectMachine: true }, outcome: 'machine', tries: 1, heard: 0 },
  { client: 'speaking', order: { detectMachine: true }, outcome: 'answered', tries: 1, heard: 2 },
  { client: 'declining', outcome: 'no-answer', tries: 1 },
  { client: 'busyAtFirst', order: { tries: 3, periodMs: 1000 }, outcome: 'answered', tries: 2, heard: 2 },
  { client: 'patient', order: { prompt: SHORT[0] }, outcome: 'no-answer', tries: 1, heard: 0 },
];
/** Of one who is dialled over the second trunk. */
const OVER_103: Kind = { client: 'patient', outcome: 'answered', tries: 1, heard: 2 };
/** Rings for as long as an autocall lets ring. */
const RINGS_OUT: Kind = { client: 'ringing', order: { priority: 9 }, outcome: 'no-answer', tries: 1 };

interface Placed {
  readonly key: string;
  readonly kind: Kind;
  readonly number: string;
  readonly order: AutocallOrder;
}

/** The same sequence in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describeAsterisk('a campaign of autocalls', (version) => {
  let asterisk: TestAsterisk;
  let first: Clients;
  let second: Clients;
  let counter: ChannelCounter;
  let dialler: KillableDialler;

  before(async () => {
    asterisk = await startAsterisk({ version });
    first = await Clients.at(asterisk.sipPort, 'client');
    second = await Clients.at(asterisk.sipPort, '103');
  });
  after(async () => {
    first.phone.close();
    second.phone.close();
    await asterisk.stop();
  });
  beforeEach(async () => {
    first.reset();
    second.reset();
    counter = await ChannelCounter.start(asterisk);
  });
  afterEach(async () => {
    await dialler.stop();
    await counter.close();
    await asterisk.cli('channel request hangup all');
    await until(
      async () => (await asterisk.cli('core show channels count')).startsWith('0 active channels'),
      'all calls to end',
    );
  });

  /** The clients of a campaign, and what is ordered for them: so many rounds through all kinds. */
  function campaign(rounds: number, more: readonly Kind[] = []): Placed[] {
    const kinds = [...more, ...Array.from({ length: rounds }, () => [...KINDS, OVER_103]).flat()];
    return kinds.map((kind, index) => {
      const overSecond = kind === OVER_103;
      const number = `${overSecond ? '7904' : '7903'}1000${String(index).padStart(3, '0')}`;
      (overSecond ? second : first).add(number, kind.client);
      const key = `order ${index}`;
      const order = autocallOrder({ key, number: `+${number}`, e164: `+${number}`, files: SHORT, ...kind.order });
      return { key, kind, number, order };
    });
  }
  const callsOf = (number: string) => (number.startsWith('7904') ? second : first).callsOf(number);
  const isOver = (placed: readonly Placed[]): boolean => placed.every(({ key }) => dialler.outcomeOf(key));

  async function over(placed: readonly Placed[], ms: number): Promise<void> {
    await until(() => isOver(placed), 'every order to have its outcome', ms).catch((thrown: unknown) => {
      const open = placed.filter(({ key }) => !dialler.outcomeOf(key)).map(({ key }) => key);
      throw new Error(`no outcome: ${open.join(', ')}\n${dialler.story}`, { cause: thrown });
    });
  }

  /** What holds whatever happened: one outcome each, no try dialled twice, no more tries than allowed, no cap passed. */
  function checkPromises(placed: readonly Placed[], perMinute: number): void {
    assert.deepEqual(dialler.refused, []);
    assert.deepEqual(counter.twice, [], 'no try is dialled twice');
    assert.ok(counter.most <= LINES, `${counter.most} lines at once`);
    const overSecond = [...counter.mostOf].filter(([trunk]) => trunk === 'PJSIP/103').map(([, most]) => most);
    assert.ok((overSecond[0] ?? 0) <= SECOND_TRUNK_LINES, `${overSecond.join()} at once over the second trunk`);
    assert.ok(counter.mostPerMinute <= perMinute, `${counter.mostPerMinute} calls within a minute`);
    const orderIds = new Set<number | undefined>();
    for (const { key, order, number } of placed) {
      const told = dialler.outcomes.get(key) ?? [];
      assert.deepEqual([...new Set(told.map(({ eventId }) => eventId))].length, 1, `${key} has one outcome`);
      assert.equal(new Set(told.map((one) => JSON.stringify(one))).size, 1, `${key} is told the same each time`);
      const [outcome = assert.fail()] = told;
      orderIds.add(outcome.orderId);
      const tries = counter.triesOf(outcome.orderId ?? 0);
      assert.ok(tries <= order.tries, `${key} was dialled ${tries} times of ${order.tries}`);
      assert.ok(tries <= outcome.tries, `${key} was dialled ${tries} times, and told as ${outcome.tries}`);
      assert.ok(callsOf(number).length <= tries, `${key}: the client's phone rang ${callsOf(number).length} times`);
    }
    assert.equal(orderIds.size, placed.length, 'no order is there twice');
    const known = new Set([...orderIds]);
    assert.deepEqual(
      counter.born.filter(({ orderId }) => !known.has(orderId)),
      [],
      'nothing is dialled that nobody ordered',
    );
  }

  it('tells of each client how it went, once', async function () {
    this.timeout(150_000);
    dialler = new KillableDialler({
      amiPort: asterisk.amiPort,
      dialling: { ...DIALLING, perMinute: 1000 },
      settings: SETTINGS,
    });
    await dialler.start();
    const placed = campaign(2);
    dialler.place(placed.map(({ order }) => order));
    await over(placed, 120_000);
    checkPromises(placed, 1000);
    for (const { key, kind, number } of placed) {
      const told = dialler.outcomes.get(key) ?? [];
      assert.equal(told.length, 1);
      const [{ outcome, tries, heard } = assert.fail()] = told;
      assert.deepEqual(
        { key, outcome, tries, heard },
        { key, outcome: kind.outcome, tries: kind.tries, heard: kind.heard },
      );
      assert.equal(callsOf(number).length, kind.tries, key);
    }
    assert.equal(counter.most, LINES, 'no line stands idle while somebody waits');
    assert.deepEqual(dialler.warnings, []);
  });

  it(`dials nobody twice and forgets nobody, killed ${KILLS} times`, async function () {
    this.timeout(180_000 + KILLS * 20_000);
    const perMinute = 36;
    dialler = new KillableDialler({
      amiPort: asterisk.amiPort,
      dialling: { ...DIALLING, perMinute },
      settings: SETTINGS,
    });
    const placed = campaign(Math.max(3, Math.ceil(KILLS / 2)), [RINGS_OUT]);
    const orders = placed.map(({ order }) => order);
    const random = dice(20_261_121);
    for (let kill = 0; kill < KILLS; kill += 1) {
      await dialler.start();
      // Whoever orders does not know what of it was kept: it orders all again.
      dialler.place(orders);
      const before = counter.born.length;
      const isBusy = () => counter.born.length > before || counter.now >= LINES || isOver(placed);
      await until(isBusy, 'the dialler to dial', 90_000);
      await new Promise((resolve) => setTimeout(resolve, random() * 2500));
      await dialler.kill();
    }
    await dialler.start();
    dialler.place(orders);
    await over(placed, 180_000);
    checkPromises(placed, perMinute);
    for (const { key, kind } of placed) {
      const told = dialler.outcomeOf(key) ?? assert.fail();
      const isKnown = told.outcome === kind.outcome;
      // Who was listening when the process died may have hung up before the next one looked.
      const isUnknown = told.error?.code === 'LINE_LOST_SIGHT' || told.heard === undefined;
      assert.ok(isKnown || isUnknown, `${key} (${kind.client}): ${JSON.stringify(told)}`);
      const answered = counter.answersOf(told.orderId ?? 0);
      assert.ok(answered <= 1, `${key} (${kind.client}): answered ${answered} times: ${JSON.stringify(told)}`);
    }
  });
});
