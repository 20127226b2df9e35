import assert from 'node:assert/strict';
import type { AmiAction, AmiClient, AmiMessage, AmiState } from '../../../lib/ami/types';
import { TelephonyError } from '../../../lib/errors';
import { AgiServer } from '../../../lib/agi/server';
import type { WaitingCall } from '../../../lib/agi/server';
import { amiEvent } from '../../support/ami-messages';
import { FakeClock } from '../../support/fake-clock';

type Reply = AmiMessage | Error;

const success: AmiMessage = { ...amiEvent('Success'), kind: 'response' };
const refused = (message: string): AmiMessage => ({ ...amiEvent('Error', { Message: message }), kind: 'response' });

/** A link whose other end is the test. */
class FakeClient implements AmiClient {
  state: AmiState = { phase: 'ready', since: 0, session: 1 };
  readonly stats = { received: 0, reconnects: 0, tampered: 0, pendingActions: 0 };
  readonly sent: string[] = [];
  /** How Asterisk answers an action. */
  reply: (action: AmiAction) => Reply | Promise<Reply> = () => success;
  /** The rows of CoreShowChannels. */
  rows: AmiMessage[] | Error = [];
  /** When set, the lists asked for and not yet given. */
  lists: ((rows: AmiMessage[]) => void)[] | undefined;
  private readonly handlers = new Set<readonly [readonly string[], (event: AmiMessage) => void]>();
  private readonly states = new Set<(state: AmiState) => void>();

  get listeners(): number {
    return this.handlers.size + this.states.size;
  }
  connect(): void {
    // The link of this test is up.
  }
  async action(action: AmiAction): Promise<AmiMessage> {
    const { Channel, Command, Variable, Value } = (action.headers ?? {}) as Record<string, string>;
    this.sent.push(Command === undefined ? `${Channel} ${Variable}=${Value}` : `${Channel} ${Command}`);
    const reply = await this.reply(action);
    if (reply instanceof Error) throw reply;
    return reply;
  }
  list(): Promise<AmiMessage[]> {
    const { lists } = this;
    if (lists) return new Promise((resolve) => lists.push(resolve));
    return this.rows instanceof Error ? Promise.reject(this.rows) : Promise.resolve(this.rows);
  }
  subscribe(names: '*' | readonly string[], handler: (event: AmiMessage) => void): () => void {
    const entry = [names === '*' ? [] : names, handler] as const;
    this.handlers.add(entry);
    return () => void this.handlers.delete(entry);
  }
  onState(handler: (state: AmiState) => void): () => void {
    this.states.add(handler);
    return () => void this.states.delete(handler);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  emit(event: AmiMessage): void {
    for (const [names, handler] of this.handlers) if (names.includes(event.name)) handler(event);
  }
  become(phase: AmiState['phase'], session = this.state.session): void {
    this.state = { ...this.state, phase, session };
    for (const handler of this.states) handler(this.state);
  }
}

const env = (...args: string[]) => {
  const lines = ['agi_request: async', 'agi_threadid: 1', ...args.map((arg, index) => `agi_arg_${index + 1}: ${arg}`)];
  return encodeURIComponent(`${lines.join('\n')}\n\n`);
};

const start = (channel: string, ...args: string[]) =>
  amiEvent('AsyncAGIStart', {
    Channel: channel,
    CallerIDNum: '84951343060',
    Exten: '74951000101',
    Linkedid: '1.1',
    Env: env(...args),
  });

const row = (channel: string, data = 'agi:async,telephony-crm') =>
  amiEvent('CoreShowChannel', {
    Channel: channel,
    Application: 'AGI',
    ApplicationData: data,
    CallerIDNum: '84950000002',
    Exten: '74951000101',
    Linkedid: '2.2',
  });

async function setUp(prepare: (client: FakeClient) => void = () => undefined, limit = 100) {
  const client = new FakeClient();
  prepare(client);
  const clock = new FakeClock();
  const calls: WaitingCall[] = [];
  const problems: TelephonyError[] = [];
  const taking = { on: true };
  const server = new AgiServer({
    client,
    tag: 'telephony-crm',
    clock,
    limit,
    onCall: (call) => {
      if (taking.on) calls.push(call);
      return taking.on;
    },
    onProblem: (problem) => problems.push(problem),
  });
  await clock.advanceAsync(0);
  return { client, clock, calls, problems, server, taking, codes: () => problems.map((problem) => problem.code) };
}

const ROUTE = { found: true, name: 'Петров АА', extension: '101' };
const told = (channel: string, number: string, name = '') => [
  `${channel} CRM_ROUTE_STATUS=${number === '' ? 'nobody' : 'found'}`,
  `${channel} CRM_ROUTE_NUMBER=${number}`,
  `${channel} CRM_ROUTE_NAME=${name}`,
  ...(name === '' ? [] : [`${channel} CALLERID(name)=${name}`]),
  `${channel} ASYNCAGI BREAK`,
];

describe('calls that ask over the AMI link', () => {
  it('are asked about, told their route and let go with one break at the end', async () => {
    const { client, clock, calls, server } = await setUp();
    client.emit(start('PJSIP/trunk-1', 'telephony-crm'));
    assert.deepEqual(calls[0]!.question, { phone: '84951343060', trunk: '74951000101', callId: '1.1' });
    assert.equal(server.waiting, 1);
    calls[0]?.answer(ROUTE);
    assert.equal(server.waiting, 0);
    await clock.advanceAsync(10_000);
    assert.deepEqual(client.sent, told('PJSIP/trunk-1', '101', 'Петров АА'));
  });

  it('of others are left alone', async () => {
    const { client, calls } = await setUp(
      (fake) => (fake.rows = [row('PJSIP/a-1', 'agi:async,other'), row('PJSIP/b-1', 'agi://host')]),
    );
    client.emit(start('PJSIP/c-1', 'other'));
    client.emit(start('PJSIP/d-1'));
    assert.deepEqual([calls, client.sent], [[], []]);
  });

  it('are answered once, however often the flow answers', async () => {
    const { client, clock, calls } = await setUp();
    client.emit(start('c', 'telephony-crm'));
    calls[0]?.answer({ found: false });
    calls[0]?.answer(ROUTE);
    await clock.advanceAsync(0);
    assert.deepEqual(client.sent, told('c', ''));
  });

  it('go their normal way when the extension cannot be dialled safely', async () => {
    const { client, clock, calls } = await setUp();
    client.emit(start('c', 'telephony-crm'));
    assert.throws(
      () => calls[0]?.answer({ found: true, extension: '101&PJSIP/trunk/8' }),
      (error) => error instanceof TelephonyError && error.code === 'PROTOCOL_UNSAFE_EXTENSION',
    );
    await clock.advanceAsync(0);
    assert.deepEqual(client.sent, told('c', ''));
  });

  it('are let go even when a variable could not be set', async () => {
    const { client, clock, calls, codes } = await setUp();
    client.reply = ({ action }) => (action === 'Setvar' ? refused('Permission denied') : success);
    client.emit(start('c', 'telephony-crm'));
    calls[0]?.answer(ROUTE);
    await clock.advanceAsync(10_000);
    assert.equal(client.sent.filter((line) => line === 'c ASYNCAGI BREAK').length, 1);
    assert.deepEqual(codes(), ['AGI_PERMISSION']);
  });

  it('that wait longer than we are there are found after the login, once each', async () => {
    const { client, calls } = await setUp((fake) => (fake.rows = [row('old')]));
    assert.deepEqual(calls[0]?.question, { phone: '84950000002', trunk: '74951000101', callId: '2.2' });
    client.emit(start('old', 'telephony-crm'));
    client.become('ready');
    assert.equal(calls.length, 1);
  });

  it('are asked about again after a reconnect only when the answer may be lost', async () => {
    const { client, clock, calls } = await setUp();
    client.emit(start('pending', 'telephony-crm'));
    client.emit(start('answered-too-late', 'telephony-crm'));
    client.become('waiting');
    client.reply = () => new Error('not connected');
    calls[1]?.answer(ROUTE);
    await clock.advanceAsync(0);

    client.reply = () => success;
    client.sent.length = 0;
    client.rows = [row('pending'), row('answered-too-late')];
    client.become('ready', 2);
    await clock.advanceAsync(0);
    assert.equal(calls.length, 3);
    calls[0]?.answer(ROUTE);
    calls[2]?.answer(ROUTE);
    await clock.advanceAsync(0);
    assert.deepEqual(client.sent, [
      ...told('pending', '101', 'Петров АА'),
      ...told('answered-too-late', '101', 'Петров АА'),
    ]);
  });

  it('that ended while the link was down are forgotten', async () => {
    const { client, clock, calls, server } = await setUp();
    client.emit(start('c', 'telephony-crm'));
    let gone = 0;
    calls[0]?.onGone(() => (gone += 1));
    client.become('ready', 2);
    await clock.advanceAsync(0);
    assert.deepEqual([gone, server.waiting], [1, 0]);
  });

  it('are not forgotten for an end that names another Uniqueid: a caller can forge one', async () => {
    const { client, clock, calls } = await setUp();
    client.emit(
      amiEvent('AsyncAGIStart', {
        Channel: 'c',
        Uniqueid: '1.1',
        CallerIDNum: '84951343060',
        Env: env('telephony-crm'),
      }),
    );
    client.emit(amiEvent('Hangup', { Channel: 'c' }));
    client.emit(amiEvent('Hangup', { Channel: 'c', Uniqueid: '6.6' }));
    calls[0]?.answer(ROUTE);
    await clock.advanceAsync(0);
    assert.equal(client.sent.at(-1), 'c ASYNCAGI BREAK');
  });

  it('that hang up while they wait are forgotten, and nothing is sent for them', async () => {
    const { client, clock, calls } = await setUp();
    client.emit(start('c', 'telephony-crm'));
    let gone = 0;
    calls[0]?.onGone(() => (gone += 1));
    client.emit(amiEvent('AsyncAGIEnd', { Channel: 'c' }));
    client.emit(amiEvent('Hangup', { Channel: 'c' }));
    calls[0]?.answer(ROUTE);
    await clock.advanceAsync(10_000);
    assert.deepEqual([gone, client.sent], [1, []]);
  });

  it('are asked about again when the dialplan asks again', async () => {
    const { client, clock, calls } = await setUp();
    client.emit(start('c', 'telephony-crm'));
    calls[0]?.answer({ found: false });
    await clock.advanceAsync(0);
    client.emit(amiEvent('AsyncAGIEnd', { Channel: 'c' }));
    client.emit(start('c', 'telephony-crm'));
    assert.equal(calls.length, 2);
  });

  it('are tried again when Asterisk did not let them go, and the operator hears of it in the end', async () => {
    const { client, clock, calls, codes } = await setUp();
    client.reply = ({ action }) => (action === 'AGI' ? refused('Failed to add the command') : success);
    client.emit(start('c', 'telephony-crm'));
    calls[0]?.answer({ found: false });
    await clock.advanceAsync(10_000);
    assert.equal(client.sent.filter((line) => line === 'c ASYNCAGI BREAK').length, 3);
    assert.deepEqual(codes(), ['AGI_NOT_RELEASED']);
    assert.equal(clock.running, 0);
  });

  it('name the missing permission at once, without trying again', async () => {
    const { client, clock, calls, problems } = await setUp(
      (fake) => (fake.rows = new Error('refused: Permission denied')),
    );
    assert.match(problems[0]?.message ?? '', /CoreShowChannels.*"reporting"/);
    client.reply = () => refused('Permission denied');
    client.emit(start('c', 'telephony-crm'));
    calls[0]?.answer({ found: false });
    await clock.advanceAsync(10_000);
    assert.equal(client.sent.filter((line) => line === 'c ASYNCAGI BREAK').length, 1);
    assert.match(problems.at(-1)?.message ?? '', /AGI: permission denied.*"agi"/);
  });

  it('beyond the bound, or that nobody can take, go their normal way at once', async () => {
    const { client, clock, calls, taking, codes } = await setUp(undefined, 2);
    taking.on = false;
    client.emit(start('refused', 'telephony-crm'));
    await clock.advanceAsync(0);
    assert.deepEqual(client.sent, told('refused', ''));
    client.emit(amiEvent('AsyncAGIEnd', { Channel: 'refused' }));

    taking.on = true;
    client.sent.length = 0;
    for (const channel of ['a', 'b', 'c']) client.emit(start(channel, 'telephony-crm'));
    await clock.advanceAsync(0);
    assert.equal(calls.length, 2);
    assert.deepEqual(client.sent, told('c', ''));
    assert.deepEqual(codes(), ['AGI_TOO_MANY']);
  });

  it('whose arguments Asterisk cut off are told by their row', async () => {
    const { client, clock, calls } = await setUp();
    client.rows = [row('long')];
    client.emit(amiEvent('AsyncAGIStart', { Channel: 'long', Env: 'agi_request%3A%20async%0Aagi_cha' }));
    await clock.advanceAsync(0);
    assert.equal(calls.length, 1);
  });

  describe('and end while the waiting channels are looked for', () => {
    const looking = async () => {
      const setting = await setUp((fake) => (fake.lists = []));
      const lists = setting.client.lists!;
      const give = async (...rows: AmiMessage[]) => {
        lists.shift()?.(rows);
        await setting.clock.advanceAsync(0);
      };
      return { ...setting, lists, give };
    };

    for (const event of ['AsyncAGIEnd', 'Hangup']) {
      it(`by ${event}, are not asked about a second time`, async () => {
        const { client, calls, give } = await looking();
        client.emit(start('c', 'telephony-crm'));
        calls[0]?.answer(ROUTE);
        client.emit(amiEvent(event, { Channel: 'c' }));
        await give(row('c'), row('other'));
        assert.deepEqual(
          calls.map(({ question }) => question.callId),
          ['1.1', '2.2'],
        );
        assert.deepEqual(
          client.sent.filter((line) => line.endsWith('BREAK')),
          ['c ASYNCAGI BREAK'],
        );
      });
    }

    it('are kept when they ask again before the list is there, whether it knows them or not', async () => {
      for (const rows of [[], [row('c')]]) {
        const { client, calls, server, give } = await looking();
        client.emit(start('c', 'telephony-crm'));
        client.emit(amiEvent('AsyncAGIEnd', { Channel: 'c' }));
        client.emit(start('c', 'telephony-crm'));
        await give(...rows);
        assert.deepEqual([calls.length, server.waiting], [2, 1]);
      }
    });

    it('are found by one more look when more was asked for meanwhile', async () => {
      const { client, calls, lists, give } = await looking();
      const cut = (channel: string) =>
        amiEvent('AsyncAGIStart', { Channel: channel, Env: 'agi_request%3A%20async%0Aagi_cha' });
      client.emit(cut('a'));
      client.emit(amiEvent('AsyncAGIEnd', { Channel: 'a' }));
      client.emit(cut('a'));
      client.emit(cut('b'));
      assert.equal(lists.length, 1);
      await give(row('a'));
      assert.deepEqual([calls.length, lists.length], [0, 1]);
      await give(row('a'), row('b'));
      assert.deepEqual([calls.length, lists.length], [2, 0]);
    });
  });

  it('are all let go when the flow stops, even when Asterisk says nothing any more', async () => {
    const { client, clock, server } = await setUp();
    client.reply = () => new Promise<never>(() => undefined);
    client.emit(start('a', 'telephony-crm'));
    client.emit(start('b', 'telephony-crm'));
    const closed = server.close();
    // In one go, so that it is before the log-off on the same link.
    assert.deepEqual(client.sent, [...told('a', ''), ...told('b', '')]);
    await clock.advanceAsync(1500);
    await closed;
    assert.equal(client.listeners, 0);
    assert.equal(clock.running, 0);
  });

  it('are waited for until they are back in the dialplan, so that the next who looks does not find them', async () => {
    const { client, clock, server } = await setUp();
    client.emit(start('a', 'telephony-crm'));
    let closed = false;
    const closing = server.close().then(() => (closed = true));
    await clock.advanceAsync(100);
    assert.equal(closed, false);
    client.emit(amiEvent('AsyncAGIEnd', { Channel: 'a' }));
    await closing;
    await server.close();
    assert.deepEqual([clock.running, client.listeners], [0, 0]);
    client.emit(start('b', 'telephony-crm'));
    assert.deepEqual(client.sent, told('a', ''));
  });

  it('are not waited for when the link goes meanwhile', async () => {
    const { client, clock, server } = await setUp();
    client.emit(start('a', 'telephony-crm'));
    const closed = server.close();
    await clock.advanceAsync(100);
    client.become('waiting');
    await closed;
    assert.deepEqual([clock.running, client.listeners], [0, 0]);
  });

  it('are not waited for while the link is down', async () => {
    const { client, clock, calls, server } = await setUp();
    client.emit(start('answered', 'telephony-crm'));
    client.emit(start('open', 'telephony-crm'));
    calls[0]?.answer(ROUTE);
    await clock.advanceAsync(0);
    client.become('waiting');
    client.reply = () => new Error('not connected');
    await server.close();
    assert.deepEqual([clock.running, client.listeners], [0, 0]);
  });

  it('lets a burst of thousands go without ever overfilling the link', async () => {
    const { client, calls, codes, server } = await setUp(undefined, 10);
    let open = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    client.reply = () => {
      open += 1;
      most = Math.max(most, open);
      return new Promise((resolve) =>
        waiting.push(() => {
          open -= 1;
          resolve(success);
        }),
      );
    };
    for (let i = 0; i < 5000; i += 1) client.emit(start(`PJSIP/provider-${i}`, 'telephony-crm'));
    assert.equal(calls.length, 10, 'the others are over the limit');
    while (waiting.length > 0) {
      waiting.splice(0).forEach((answer) => answer());
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(client.sent.filter((sent) => sent.endsWith('ASYNCAGI BREAK')).length, 4990);
    assert.ok(most < 1000, `at most ${most} actions at once: the link takes 1000`);
    assert.deepEqual([...new Set(codes())], ['AGI_TOO_MANY']);
    client.reply = ({ headers }) => {
      client.emit(amiEvent('AsyncAGIEnd', { Channel: String(headers?.Channel) }));
      return success;
    };
    await server.close();
  });

  it('lets all that wait go when it closes, be they nine hundred', async () => {
    const { client, calls, server } = await setUp(undefined, 1000);
    for (let i = 0; i < 900; i += 1) client.emit(start(`PJSIP/provider-${i}`, 'telephony-crm'));
    assert.equal(calls.length, 900);
    client.reply = ({ headers }) => {
      client.emit(amiEvent('AsyncAGIEnd', { Channel: String(headers?.Channel) }));
      return success;
    };
    await server.close();
    assert.equal(client.sent.filter((sent) => sent.endsWith('ASYNCAGI BREAK')).length, 900);
    assert.equal(client.listeners, 0);
  });
});
