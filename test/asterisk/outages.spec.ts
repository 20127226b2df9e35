import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { AutocallOrder, ClickOrder, DialerSettings, Order, OrderOutcome } from '../../lib/dialer/types';
import { until } from '../support/wait';
import { autocallOrder, clickOrder } from '../unit/dialer/support/orders';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { ChannelCounter } from './support/channel-counter';
import { type ClientKind, Clients } from './support/clients';
import { KillableDialler } from './support/killable-dialler';
import { describeAsterisk } from './support/roots';
import { SipPhone } from './support/sip/phone';

const LINES = 4;
const SETTINGS: DialerSettings = { lines: LINES, trunkLines: {}, windows: [], maxWaiting: 1000 };
const DIALLING = {
  dialAs: 'digits',
  channels: [{ prefix: '', channel: 'PJSIP/{number}@client' }],
  perMinute: 1000,
} as const;
/** 0.4 s, and 16 s. */
const [SHORT, LONG] = ['beep', 'tt-monkeys'] as const;

describeAsterisk('calls out and a PBX that fails', (version) => {
  let asterisk: TestAsterisk;
  let clients: Clients;
  let agent: SipPhone;
  let counter: ChannelCounter;
  let dialler: KillableDialler;

  before(async () => {
    asterisk = await startAsterisk({ version });
    clients = await Clients.at(asterisk.sipPort, 'client');
    agent = await SipPhone.registered({ server: asterisk.sipPort, user: '101' });
  });
  after(async () => {
    clients.phone.close();
    agent.close();
    await asterisk.stop();
  });
  beforeEach(async () => {
    clients.reset();
    agent.reset('answer');
    await register();
    counter = await ChannelCounter.start(asterisk);
    dialler = new KillableDialler({ amiPort: asterisk.amiPort, dialling: DIALLING, settings: SETTINGS });
    await dialler.start();
  });
  afterEach(async () => {
    asterisk.thaw();
    await dialler.stop();
    await counter.close();
    await asterisk.cli('channel request hangup all');
    await until(
      async () => (await asterisk.cli('core show channels count')).startsWith('0 active channels'),
      'all calls to end',
    );
  });

  const register = () => Promise.all([clients.phone.register(), agent.register()]);

  /** Resolves when none of its threads runs any more: the signal takes its time on a busy machine. */
  async function freeze(): Promise<void> {
    asterisk.freeze();
    const tasks = `/proc/${asterisk.pid}/task`;
    const stands = (thread: string) => readFileSync(`${tasks}/${thread}/stat`, 'utf8').includes(') T ');
    await until(() => readdirSync(tasks).every(stands), 'Asterisk to stand still');
  }

  const numberOf = (index: number): string => `79031000${String(index).padStart(3, '0')}`;
  function autocall(index: number, client: ClientKind, more: Partial<AutocallOrder> = {}): AutocallOrder {
    const number = numberOf(index);
    clients.add(number, client);
    return autocallOrder({ key: `${index}`, number: `+${number}`, e164: `+${number}`, files: [SHORT], ...more });
  }
  function click(index: number, more: Partial<ClickOrder> = {}): ClickOrder {
    const number = numberOf(index);
    clients.add(number, 'patient');
    return clickOrder({ key: `${index}`, number: `+${number}`, e164: `+${number}`, ...more });
  }
  /** A dozen who hear a short message, after as many as there are lines who hear a long one. */
  const campaign = (): AutocallOrder[] => [
    ...Array.from({ length: LINES }, (_, index) =>
      autocall(index, 'patient', { files: [LONG], priority: 9, tries: 3 }),
    ),
    ...Array.from({ length: 12 }, (_, index) => autocall(index + LINES, 'patient', { tries: 3 })),
  ];
  async function over(orders: readonly Order[]): Promise<OrderOutcome[]> {
    const keys = orders.map(({ key = '' }) => key);
    await until(() => keys.every((key) => dialler.outcomeOf(key)), 'every order to have its outcome', 90_000).catch(
      (thrown: unknown) => {
        const open = keys.filter((key) => !dialler.outcomeOf(key));
        throw new Error(`no outcome: ${open.join(', ')}\n${dialler.story}`, { cause: thrown });
      },
    );
    return keys.map((key) => {
      assert.equal(dialler.outcomes.get(key)?.length, 1, `${key} has one outcome`);
      return dialler.outcomeOf(key) ?? assert.fail();
    });
  }
  /** Every line has somebody who listens to the long message. */
  const allListen = () =>
    until(
      () => dialler.progress.filter(({ state }) => state === 'answered').length >= LINES && counter.now === LINES,
      'all lines to be taken',
    );

  it('calls nobody again whose call a restart of the PBX took with it, and goes on with the others', async () => {
    const orders = campaign();
    dialler.place(orders);
    await allListen();
    await asterisk.restart();
    await register();
    const outcomes = await over(orders);
    for (const [index, { outcome, error, tries }] of outcomes.entries()) {
      const called = clients.callsOf(numberOf(index)).length;
      if (index < LINES) assert.deepEqual([outcome, error?.code, called], ['failed', 'LINE_LOST_SIGHT', 1], `${index}`);
      // What was dialled before its phones had registered anew reached nobody, and was dialled again.
      else assert.deepEqual([outcome, called, tries <= 3], ['answered', 1, true], `${index}`);
    }
    assert.deepEqual(counter.twice, []);
  });

  it('goes on where it was when a frozen PBX thaws, and has it dial nothing twice', async () => {
    const orders = campaign();
    dialler.place(orders);
    // All kinds of moments: some listen, one is just being dialled.
    await until(() => counter.born.length >= LINES, 'the first calls');
    await freeze();
    await until(() => !dialler.isUp, 'the link to be given up', 60_000);
    asterisk.thaw();
    const outcomes = await over(orders);
    for (const [index, { outcome, error, tries }] of outcomes.entries()) {
      const called = clients.callsOf(numberOf(index)).length;
      assert.ok(called <= tries, `${index} was called ${called} times in ${tries} tries`);
      if (outcome === 'failed') assert.equal(error?.code, 'LINE_LOST_SIGHT');
      else assert.deepEqual([outcome, called], ['answered', 1], `${index}`);
    }
    assert.deepEqual(counter.twice, []);
    assert.ok(counter.most <= LINES, `${counter.most} lines at once`);
  });

  it('never makes a click late that came while the PBX was gone', async () => {
    await asterisk.kill();
    await until(() => !dialler.isUp, 'the link to break');
    const late = click(50, { expiresAt: Date.now() + 1500 });
    dialler.place([late]);
    const [outcome] = await over([late]);
    assert.deepEqual([outcome?.outcome, outcome?.error?.code], ['expired', 'ORDER_EXPIRED_NO_LINK']);
    await asterisk.start();
    await register();
    await until(() => dialler.isUp && counter.isConnected, 'the link');
    // Another one is dialled: so nothing is left of the first.
    const next = click(51);
    dialler.place([next]);
    (await agent.nextCall(60_000)).headers('From');
    await until(() => clients.callsOf(numberOf(51)).length === 1, 'the client to be called');
    clients.callsOf(numberOf(51))[0]?.bye();
    await over([next]);
    assert.equal(agent.received.length, 1);
    assert.deepEqual(clients.callsOf(numberOf(50)), []);
  });

  it('never connects a click that a frozen PBX was given, and makes none that came later', async () => {
    // The last answer is fresh: the first click is sent into the freeze.
    const warm = click(60);
    dialler.place([warm]);
    await until(() => clients.callsOf(numberOf(60)).length === 1, 'the client to be called');
    clients.callsOf(numberOf(60))[0]?.bye();
    await over([warm]);
    // A phone that answers by itself within the instant before it is hung up would let the client's ring: known-limits tells of it.
    agent.reset('ring');
    await freeze();
    const sent = click(61, { expiresAt: Date.now() + 4000 });
    dialler.place([sent]);
    await until(() => !dialler.isReady, 'the silence to be noticed', 60_000);
    const later = click(62, { expiresAt: Date.now() + 3000 });
    dialler.place([later]);
    const [expired] = await over([later]);
    assert.equal(expired?.outcome, 'expired');
    await until(() => Date.now() > sent.expiresAt, 'both to be late');
    asterisk.thaw();
    const [outcome] = await over([sent]);
    assert.ok(['failed', 'expired'].includes(outcome?.outcome ?? ''), JSON.stringify(outcome));
    await until(() => dialler.isUp && dialler.isReady, 'the link', 60_000);
    await until(() => counter.isConnected && counter.now === 0, 'no channel to be left', 30_000);
    agent.reset('answer');
    const next = click(63);
    dialler.place([next]);
    await until(() => clients.callsOf(numberOf(63)).length === 1, 'the client to be called', 60_000);
    clients.callsOf(numberOf(63))[0]?.bye();
    await over([next]);
    for (const index of [61, 62]) assert.deepEqual(clients.callsOf(numberOf(index)), [], `${index}`);
    assert.deepEqual(counter.twice, []);
  });
});
