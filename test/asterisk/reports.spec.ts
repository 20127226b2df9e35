import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient, AmiMessage } from '../../lib/ami/types';
import type { QueueMessage } from '../../lib/messages/queues';
import type { PbxMessage } from '../../lib/messages/types';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { QueueKeeper } from '../../lib/reports/keeper';
import { makeReport } from '../../lib/reports/report';
import { reportQuery, usualReport } from '../../lib/reports/request';
import type { Report, ReportRow } from '../../lib/reports/types';
import { Keeper, RECORDS } from '../../lib/store/keeper';
import type { Store } from '../../lib/store/types';
import { until } from '../support/wait';
import { TempStores } from '../unit/store/support/temp-store';
import { describeAsterisk } from './support/roots';
import { SipPhone } from './support/sip/phone';
import { TestBed } from './support/test-bed';

const [SUPPORT, SALES, DIRECT] = ['74951000202', '74951000203', '74951000101'] as const;
/** In the queue log a member has his name. */
const AGENTS = new Map([
  ['Agent One', '101'],
  ['Agent Two', '102'],
]);
/** Rounding to whole seconds at both ends. */
const NEAR = 1;
const SERVICE_SECONDS = 2;

interface OfQueue {
  offered: number;
  answered: number;
  abandoned: number;
  timedOut: number;
  answeredInTime: number;
  waits: number[];
  talks: number[];
  /** By agent: calls that rang, were taken, and seconds of conversations. */
  readonly agents: Map<string, { rang: number; answered: number; talks: number[] }>;
}

/** What Asterisk itself counted in one queue, by its queue_log. */
function counted(log: readonly (readonly string[])[], queue: string): OfQueue {
  const found: OfQueue = {
    offered: 0,
    answered: 0,
    abandoned: 0,
    timedOut: 0,
    answeredInTime: 0,
    waits: [],
    talks: [],
    agents: new Map(),
  };
  for (const [, , name, member = '', event, ...data] of log) {
    if (name !== queue) continue;
    const agent = found.agents.get(member) ?? { rang: 0, answered: 0, talks: [] };
    const seconds = (at: number): number => Number(data[at]);
    if (event === 'ENTERQUEUE') found.offered += 1;
    if (event === 'ABANDON') found.abandoned += 1;
    if (event === 'EXITWITHTIMEOUT') found.timedOut += 1;
    if (event === 'ABANDON' || event === 'EXITWITHTIMEOUT') found.waits.push(seconds(2));
    if (event === 'RINGNOANSWER') agent.rang += 1;
    if (event === 'CONNECT') {
      found.answered += 1;
      found.waits.push(seconds(0));
      if (seconds(0) <= SERVICE_SECONDS) found.answeredInTime += 1;
      agent.rang += 1;
      agent.answered += 1;
    }
    // A blind transfer tells the target first: exten, context, wait, talk, position.
    const talkAt = { COMPLETEAGENT: 1, COMPLETECALLER: 1, BLINDTRANSFER: 3 }[event ?? ''];
    if (talkAt !== undefined) {
      found.talks.push(seconds(talkAt));
      agent.talks.push(seconds(talkAt));
    }
    if (/^(?:RINGNOANSWER|CONNECT|COMPLETE\w+|BLINDTRANSFER)$/.test(event ?? '')) found.agents.set(member, agent);
  }
  return found;
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);

describeAsterisk('the reports', (version) => {
  const stores = new TempStores();
  let store: Store;
  let bed: TestBed;
  let client: SipPhone;
  let pbx: Pbx;
  let admin: AmiClient;
  let began: number;
  const problems: string[] = [];
  const queueTold: QueueMessage[] = [];
  const told: PbxMessage[] = [];

  before(async () => {
    store = await stores.ready();
    bed = await TestBed.start({ version });
    const { amiPort: port, sipPort: server } = bed.asterisk;
    client = await SipPhone.registered({ server, user: 'client' });
    const problem = ({ message }: Error): void => void problems.push(message);
    pbx = createPbx(
      {
        name: 'office',
        plan: numberingPlan({ country: 'RU' }),
        calls: { trunks: ['provider', 'client'], trunkContexts: ['from-trunk'] },
        connection: {
          kind: 'asterisk',
          driver: 'built-in',
          client: { host: '127.0.0.1', port, username: 'crm-min', secret: 'crm-min-secret' },
        },
      },
      { onProblem: problem },
    );
    const facts = new QueueKeeper(store, problem);
    const records = new Keeper(store, RECORDS, problem);
    pbx.queues.subscribe((message) => {
      queueTold.push(message);
      facts.keep(message);
    });
    pbx.calls.subscribe((message) => {
      told.push(message);
      if (message.topic === 'call_record') records.keep(message.payload);
    });
    pbx.open();
    admin = createAmiClient({ host: '127.0.0.1', port, username: 'admin', secret: 'admin-secret' });
    admin.connect();
    await until(() => pbx.queues.stats.members === 2 && admin.state.phase === 'ready', 'the members', 20_000);
    for (const [name, extension] of [...AGENTS].reverse()) {
      await act('QueueAdd', { Queue: 'sales', Interface: `PJSIP/${extension}`, MemberName: name });
    }
    await until(() => pbx.queues.stats.members === 4, 'the members of the other queue', 20_000);
    began = Date.now();
  });
  after(async () => {
    client.close();
    await admin.close();
    await pbx.close();
    await bed.stop();
    await stores.clean();
  });
  beforeEach(() => bed.reset());
  afterEach(async () => {
    await bed.hangUpAll();
    await until(() => pbx.queues.stats.waiting + pbx.queues.stats.talking === 0, 'the end of all calls', 20_000);
    assert.deepEqual(problems, []);
  });

  async function act(action: string, headers: Record<string, string>): Promise<AmiMessage> {
    const answer = await admin.action({ action, headers });
    assert.equal(answer.name, 'Success', answer.get('Message'));
    return answer;
  }
  const heard = (
    topic: string,
    is: (payload: {
      readonly queue?: { readonly id: string };
      readonly agent?: { readonly phone: string };
      readonly reason?: string;
    }) => boolean,
  ) => {
    const count = (): number => queueTold.filter((one) => one.topic === topic && is(one.payload)).length;
    const before = count();
    return () => until(() => count() > before, topic, 30_000);
  };
  const recorded = (): number => told.filter(({ topic }) => topic === 'call_record').length;
  const from = (number: string) => ({ fromNumber: number, fromName: 'Client' });
  const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  const report = (question: object): Promise<Report> => {
    const now = Date.now();
    const usual = usualReport({ timeZone: 'Europe/Moscow', serviceSeconds: SERVICE_SECONDS });
    return makeReport(store, reportQuery({ from: new Date(began).toISOString(), ...question }, usual, now), now);
  };
  const rowOf = ({ rows }: Report, column: string, name: string): ReportRow =>
    rows.find((row) => row[column] === name) ?? assert.fail(`${name} in ${JSON.stringify(rows)}`);

  it('of queues and agents say what Asterisk itself counted', async () => {
    // Taken at once by 101, who talks for some seconds.
    bed.phones['102'].reset('busy');
    let ended = heard('agent-hangup', () => true);
    const taken = bed.call(SUPPORT, from('+78124485301'));
    await taken.answered;
    await bed.phones['101'].nextCall();
    await pause(3000);
    taken.bye();
    await ended();

    // 102 lets it ring for three seconds, 101 takes it and sends it on to the other queue, where 102 takes it.
    bed.phones['102'].reset('ring');
    bed.phones['101'].reset('answer');
    const connected = heard('agent-answer', ({ queue }) => queue?.id === 'sales');
    const wandering = bed.call(SALES, from('+78124485302'));
    await connected();
    await pause(2000);
    bed.phones['101'].reset('busy');
    bed.phones['102'].reset('answer');
    const again = heard('agent-answer', ({ queue, agent }) => queue?.id === 'support' && agent?.phone === '102');
    const sent = heard('agent-hangup', ({ reason }) => reason === 'transfer');
    const rows = await admin.list({ action: 'CoreShowChannels' });
    const channel = rows.map((row) => row.get('Channel') ?? '').find((name) => name.startsWith('PJSIP/101-'));
    await act('BlindTransfer', {
      Channel: channel ?? assert.fail('101 has no channel'),
      Context: 'from-internal',
      Exten: '7200',
    });
    await Promise.all([again(), sent()]);
    await pause(1500);
    ended = heard('agent-hangup', ({ queue }) => queue?.id === 'support');
    wandering.bye();
    await ended();

    // Nobody takes it until the time of the queue is over; then one who gives up.
    for (const rule of ['timeout', 'abandoned'] as const) {
      bed.phones['101'].reset('ring');
      bed.phones['102'].reset('ring');
      const left = heard('queue-hangup', ({ reason }) => reason === rule);
      const call = bed.call(SALES, from(`+7812448530${rule === 'timeout' ? 3 : 4}`));
      if (rule === 'abandoned') {
        await bed.phones['101'].nextCall();
        call.bye();
      }
      await left();
      await call.ended;
    }

    // Past the queues: straight to the agent, and out to a client.
    bed.phones['101'].reset('answer');
    const direct = bed.call(DIRECT, from('+78124485305'));
    await direct.answered;
    direct.bye();
    await direct.ended;
    client.reset('answer');
    ended = heard('agent-dialout-hangup', ({ agent }) => agent?.phone === '101');
    const out = bed.phones['101'].call('88124485306');
    await out.answered;
    await pause(2000);
    out.bye();
    await ended();
    await until(() => recorded() === 6, 'the records of six calls', 20_000);

    const log = bed.asterisk.queueLog();
    const [queues, agents] = [await report({ report: 'queues' }), await report({ report: 'agents' })];
    for (const queue of ['support', 'sales']) {
      const own = counted(log, queue);
      const row = rowOf(queues, 'queue', queue);
      const { offered, answered, abandoned, timedOut, answeredInTime } = own;
      assert.deepEqual(
        [row.offered, row.answered, row.abandoned, row.timedOut, row.answeredInTime, row.left],
        [offered, answered, abandoned, timedOut, answeredInTime, 0],
        `${queue}\n${log.map((line) => line.join('|')).join('\n')}`,
      );
      assert.equal(row.serviceLevelPercent, Math.round((answeredInTime / offered) * 1000) / 10);
      near(row.waitLongestSeconds, Math.max(...own.waits), `longest wait in ${queue}`);
      near(row.waitMeanSeconds, sum(own.waits) / own.waits.length, `mean wait in ${queue}`);
      assert.equal(row.talks, own.talks.length);
      near(row.talkLongestSeconds, Math.max(...own.talks), `longest talk in ${queue}`);
      near(row.talkMeanSeconds, sum(own.talks) / own.talks.length, `mean talk in ${queue}`);

      const ofQueue = await report({ report: 'agents', queues: [queue] });
      for (const [name, agent] of own.agents) {
        const extension = AGENTS.get(name) ?? assert.fail(name);
        const line = rowOf(ofQueue, 'agent', extension);
        assert.deepEqual([line.answered, line.talks], [agent.answered, agent.talks.length], `${extension} in ${queue}`);
        near(line.talkSeconds, sum(agent.talks), `talks of ${extension} in ${queue}`, agent.talks.length);
      }
    }
    const [one, two] = ['101', '102'].map((extension) => rowOf(agents, 'agent', extension));
    assert.deepEqual([one?.callsOut, one?.callsOutAnswered, one?.name], [1, 1, 'Agent One']);
    near(one?.callsOutTalkSeconds, 2, 'the call out');
    assert.equal(two?.callsOut, 0);
    assert.ok(Number(two.timedOut) >= 1, 'rang out');

    // The hours together are the whole.
    const hours = await report({ report: 'queues', by: 'hour' });
    for (const column of ['offered', 'answered', 'abandoned', 'timedOut', 'talks'] as const) {
      assert.equal(sum(hours.rows.map((row) => Number(row[column]))), queues.total[column], column);
    }
  });

  it('of missed calls name the clients with whom nobody talked, and who called back', async () => {
    const missed = async () =>
      new Map((await report({ report: 'missed' })).rows.map((row) => [row.number, row] as const));
    const before = await missed();
    assert.deepEqual(
      [...before].map(([number, { isOpen, result, queue }]) => [number, isOpen, result, queue]),
      [
        ['+78124485303', true, 'missed', 'sales'],
        ['+78124485304', true, 'abandoned', 'sales'],
      ],
    );
    // Agent 101 calls one of them back, in vain and then not.
    const records = recorded();
    for (const rule of ['busy', 'answer'] as const) {
      client.reset(rule);
      const out = bed.phones['101'].call('88124485304');
      if (rule === 'answer') {
        await out.answered;
        out.bye();
      }
      await out.ended;
    }
    // The other one calls again by himself.
    bed.phones['101'].reset('answer');
    const again = bed.call(DIRECT, from('+78124485303'));
    await again.answered;
    again.bye();
    await until(() => recorded() === records + 3, 'three more records', 20_000);
    await until(
      async () => [...(await missed()).values()].every(({ isOpen }) => !isOpen),
      'the talks to be kept',
      20_000,
    );
    const after = await missed();
    const told4 = after.get('+78124485304');
    const told3 = after.get('+78124485303');
    assert.deepEqual([told4?.isOpen, told4?.talkedBy, told4?.talkedWay], [false, '101', 'out']);
    assert.deepEqual([told3?.isOpen, told3?.talkedBy, told3?.talkedWay], [false, '101', 'in']);
    assert.ok(Number(told4?.afterSeconds) > 0);
  });
});

/** `by`: how many values were rounded one by one. */
function near(value: unknown, wanted: number, what: string, by = 1): void {
  assert.ok(
    typeof value === 'number' && Math.abs(value - wanted) <= NEAR * by,
    `${what}: ${String(value)}, and ${String(wanted)} by Asterisk`,
  );
}
