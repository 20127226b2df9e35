import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { NodeInitializer } from 'node-red';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import callControl from '../../nodes/call-control';
import callHistory from '../../nodes/call-history';
import crmConfig from '../../nodes/crm-config';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import queueEvent from '../../nodes/queue-event';
import simulatedCall from '../../nodes/simulated-call';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { FakeCrm, json, text as plain } from '../support/fake-crm';
import { until } from '../support/wait';
import { debugNamed, exampleNames, exampleNamesForCrms, only, readExample, runnable } from './support/example-flows';
import { FlowServer } from './support/http';
import { load, messages, node, receive, unload, waitForMessages } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

/** Nodes of Node-RED itself, as it installed them. */
const core = createRequire(require.resolve('node-red'));
const coreNode = (name: string) => core(`@node-red/nodes/core/${name}`) as NodeInitializer;
const switchNode = coreNode('function/10-switch');

const types = [
  amiConfig,
  amiEvent,
  callControl,
  callHistory,
  crmConfig,
  crmWebhookOut,
  queueEvent,
  simulatedCall,
  storeConfig,
  switchNode,
];

describe('the examples of records and events', () => {
  let user: UserDir;
  let crm: FakeCrm | undefined;
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    await crm?.stop();
    crm = undefined;
    user.remove();
  });

  const start = async (flow: FlowNode[]): Promise<void> => {
    await load([user.init, ...types], runnable(flow));
    const { pbx } = node(only(flow, 'ami-config').id) as AmiConfigNode;
    await until(() => pbx.client.state.phase === 'ready', 'the simulator');
  };

  it('have ids of their own, so that all can be imported side by side', () => {
    const ids = exampleNames.flatMap((name) => readExample(name).map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    // Calls and recordings are told apart by the name of their PBX.
    const pbxes = exampleNames.flatMap((name) =>
      readExample(name).flatMap((node) => (/^(ami|finesse)-config$/.test(node.type) ? [node.name] : [])),
    );
    assert.equal(new Set(pbxes).size, pbxes.length, pbxes.join(', '));
    assert.ok(pbxes.length >= exampleNames.length);
  });

  it('02: each call becomes one record, delivered and kept', async () => {
    const flow = readExample('02-cdr-export.json');
    await start(flow);
    const [[delivered = ''] = []] = only(flow, 'crm-webhook-out').wires as string[][];
    const call = only(flow, 'simulated-call');
    for (const did of ['74951000111', '74951000112', '74951000170'])
      receive(call.id, { payload: { from: '84951343060', did } });
    await waitForMessages(delivered, 3);
    const records = messages(delivered).map(({ payload }) => payload as { line: { number: string }; result: string });
    const results = new Map(records.map(({ line, result }) => [line.number, result]));
    assert.deepEqual(
      ['74951000111', '74951000112', '74951000170'].map((did) => results.get(did)),
      ['answered', 'missed', 'answered'],
    );
    const history = only(flow, 'call-history');
    const [[found = ''] = []] = history.wires as string[][];
    await until(async () => {
      receive(history.id, { payload: { limit: 10 } });
      const answers = await waitForMessages(found, 1);
      return (answers.at(-1)?.payload as { total: number }).total === 3;
    }, 'the history of three calls');
  });

  it('03: the events of a call reach a webhook in order', async () => {
    crm = await new FakeCrm(json({})).start();
    const text = JSON.stringify(readExample('03-call-events-to-webhook.json'));
    const flow = JSON.parse(text.replaceAll('http://127.0.0.1:1880', crm.origin)) as FlowNode[];
    await start(flow);
    receive(only(flow, 'simulated-call').id, { payload: { from: '84951343060', did: '74951000111' } });
    await until(() => crm?.requests.length === 4, 'four events');
    const told = crm.requests.map(({ body }) => (JSON.parse(body) as { topic: string }).topic);
    assert.deepEqual(told, ['call_ringing', 'call_answer', 'call_hangup', 'call_record']);
    assert.ok(crm.requests.every(({ headers }) => typeof headers['idempotency-key'] === 'string'));
  });

  it('08: a script is called at each event of a queue, and its answer is set on the call', async () => {
    const answer = 'CALLERID(name)=ООО Ромашка&call_info=VIP';
    crm = await new FakeCrm(plain(answer, 'text/plain; charset=utf-8')).start();
    const text = JSON.stringify(readExample('08-line24-scripts.json'));
    const all = JSON.parse(text.replaceAll('http://127.0.0.1:1880', crm.origin)) as FlowNode[];
    const flow = all.filter(({ type }) => type !== 'change');
    await start(flow);
    const [[set = ''] = []] = only(flow, 'call-control').wires as string[][];
    receive(only(flow, 'simulated-call').id, { payload: { from: '84951343060', did: '74951000170' } });
    const [done] = await waitForMessages(set);
    assert.equal((done?.payload as { action: string }).action, 'set');
    assert.deepEqual(done?.variables, { 'CALLERID(name)': 'ООО Ромашка', call_info: 'VIP' });
    const asked = (): string[] =>
      (crm?.requests ?? []).map(({ url }) => new URL(url, 'http://crm').searchParams.get('event') ?? '');
    await until(() => asked().includes('agent-hangup') && asked().includes('queue-hangup'), 'the end of the call');
    assert.equal(asked()[0], 'queue-dial');
    assert.ok(asked().includes('agent-answer'));
  });

  it('08: an answer that comes when the call is over is told where the example says so', async () => {
    const answer = plain('call_info=VIP', 'text/plain; charset=utf-8');
    const held: (() => void)[] = [];
    crm = await new FakeCrm((...asked) => void held.push(() => answer(...asked))).start();
    const text = JSON.stringify(readExample('08-line24-scripts.json'));
    const flow = (JSON.parse(text.replaceAll('http://127.0.0.1:1880', crm.origin)) as FlowNode[]).filter(
      ({ type }) => type !== 'change',
    );
    await load([user.init, ...types], [...runnable(flow), only(flow, 'catch')]);
    const { pbx } = node(only(flow, 'ami-config').id) as AmiConfigNode;
    await until(() => pbx.client.state.phase === 'ready', 'the simulator');
    await pbx.simulator?.call({ from: '84951343060', did: '74951000170' });
    await until(() => crm?.requests.length === 1, 'the script to be called');
    crm.behave = answer;
    for (const each of held) each();
    const late = debugNamed(flow, 'the answer came too late').id;
    const [told] = await waitForMessages(late);
    const { error } = told as { error?: { message: string; source: { id: string } } };
    assert.equal(error?.source.id, only(flow, 'call-control').id);
    assert.match(error.message, /There is no call \(callId .*\) now: it may have ended already/);
    const { requests } = crm;
    await until(() => requests.some(({ url }) => url.includes('event=queue-hangup')), 'the end of the call');
    assert.deepEqual([messages(late).length, messages(debugNamed(flow, 'set').id)], [1, []]);
  });

  it('09: the queues now, the numbers of the day and the missed calls come together', async () => {
    const all = readExample('09-wallboard.json');
    const flow = all.map((each) => (each.type === 'function' ? { ...each, type: 'sink' } : each));
    const named = (name: string): string => flow.find((each) => each.name === name)?.id ?? assert.fail(name);
    await start(flow);
    const call = (payload: object): void => receive(only(flow, 'simulated-call').id, { payload });
    receive(named('agents'), { payload: { action: 'pause', extension: '105', reason: 'обед' } });
    call({ from: '84951343060', did: '74951000170' });
    call({ from: '84951343061', did: '74951000170', name: '<b>x</b>', patienceSeconds: 0.2 });
    interface Shown {
      readonly now: { readonly queues: readonly { readonly id: string; readonly agents: readonly object[] }[] };
      readonly today: { readonly rows: readonly Record<string, unknown>[] };
      readonly missed: { readonly rows: readonly Record<string, unknown>[] };
    }
    const last = (name: string) => messages(named(name)).at(-1) as unknown as Shown | undefined;
    await until(() => {
      receive(named('statistics'), { asked: { report: 'queues' }, askedMissed: { report: 'missed' } });
      return last('the answer')?.today.rows[0]?.offered === 2 && last('the answer')?.missed.rows.length === 1;
    }, 'both calls to be counted');
    const [row] = last('the answer')?.today.rows ?? [];
    assert.deepEqual([row?.queue, row?.answered, row?.abandoned, row?.serviceLevelPercent], ['support', 1, 1, 50]);
    const [missed] = last('the answer')?.missed.rows ?? [];
    assert.deepEqual([missed?.number, missed?.name, missed?.isOpen], ['+74951343061', '<b>x</b>', true]);
    receive(named('the queues now'), { payload: { action: 'queue-status' } });
    await until(() => last('read the store?') !== undefined, 'the queues');
    const [queue] = last('read the store?')?.now.queues ?? [];
    assert.equal(queue?.id, 'support');
    assert.ok(queue.agents.some((agent) => 'reason' in agent && agent.reason === 'обед'));
    const button = all.find(({ name }) => name === 'the same as CSV') ?? assert.fail('no button for CSV');
    receive(named('report'), { payload: JSON.parse(String(button.payload)) as object });
    await until(() => last('who was missed') !== undefined, 'the report');
    const { payload: csv } = messages(named('who was missed'))[0] ?? {};
    assert.match(String(csv), /^number;name;calls;.*\r\n'\+74951343061;<b>x<\/b>;1;\d{4}-\d\d-\d\dT[\d:.]+Z;/);
  });

  it('09: whoever asks while the PBX is being asked waits for the same answer, or for the same failure', async () => {
    const server = new FlowServer();
    const core = [
      'network/21-httpin',
      'function/10-function',
      'function/80-template',
      'function/89-delay',
      'parsers/70-JSON',
    ];
    const flow = readExample('09-wallboard.json').filter(({ type }) => !/^(inject|comment|split|debug)$/.test(type));
    await server.listen();
    try {
      await load([user.init, server.init, ...core.map(coreNode), ...types], flow);
      const { client, queues } = (node(only(flow, 'ami-config').id) as AmiConfigNode).pbx;
      await until(() => queues.members !== undefined, 'the first lists of the queues');
      const list = client.list.bind(client);
      let asked = 0;
      const whenAsked = (answer: () => ReturnType<typeof list>): void => {
        asked = 0;
        client.list = (action, options) => {
          if (action.action !== 'QueueStatus') return list(action, options);
          asked += 1;
          return answer();
        };
      };
      const waiting = new Set<string | undefined>();
      node(only(flow, 'delay').id)?.on('input', ({ _msgid }) => void waiting.add(_msgid));
      const crowd = async (): Promise<readonly string[]> => {
        waiting.clear();
        const answers = await Promise.all(Array.from({ length: 100 }, () => server.ask('/wallboard/data')));
        return [...new Set(answers.map(({ status, body }) => `${status} ${body}`))];
      };
      const allWait = () => until(() => waiting.size === 99, 'all others to wait', 20_000);

      whenAsked(() => allWait().then(() => Promise.reject(new Error('the PBX is away'))));
      assert.deepEqual([await crowd(), asked], [['503 {"error":"Error: the PBX is away"}'], 1]);
      // As after a while.
      const forget = (): void => node(only(flow, 'delay').id)?.context().flow.set('wallboard', undefined);
      forget();
      whenAsked(() => allWait().then(() => list({ action: 'QueueStatus' })));
      const [answer = '', ...others] = await crowd();
      assert.match(answer, /^200 \{"at":.*"id":"support"/);
      assert.deepEqual([others, asked], [[], 1]);
      forget();
      whenAsked(() => list({ action: 'QueueStatus' }));
      const { status, body } = await server.ask('/wallboard/data');
      assert.deepEqual([status, asked, `200 ${body}` === answer], [200, 1, false]);
    } finally {
      await server.close();
    }
  });

  for (const name of exampleNamesForCrms) {
    it(`${name}: says what is missing until the CRM is filled in`, async () => {
      const flow = readExample(name);
      await start(flow);
      const out = only(flow, 'crm-webhook-out');
      assert.ok(node(out.id), 'the node lives');
      assert.equal((node(only(flow, 'crm-config').id) as { account?: unknown }).account, undefined);
    });
  }
});
