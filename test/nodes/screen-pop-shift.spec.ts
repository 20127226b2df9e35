import assert from 'node:assert/strict';
import { hashPin } from '../../lib/agents/pins';
import amiConfig from '../../nodes/ami-config';
import callHistory from '../../nodes/call-history';
import screenPop from '../../nodes/screen-pop';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode, StoreConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { AgentsAtWork, has, withPins } from './support/agents';
import type { Told } from './support/agents';
import { FlowServer } from './support/http';
import { deploy, lastStatus, load, logLines, messages, node, unload, waitForStatus } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

const TAB: FlowNode = { id: 'tab', type: 'tab' };
const CONFIG: FlowNode = { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' };
const SINK: FlowNode = { id: 'sink', type: 'sink', z: 'tab', wires: [] };
/** A queue of the simulator: 101, its fixed member, answers. */
const QUEUE = '74951000170';

interface Queue {
  readonly id: string;
  readonly joined: boolean;
  readonly may: string;
  readonly paused: boolean;
  readonly reason?: string;
}

describe('screen-pop over a shift', () => {
  const server = new FlowServer();
  const agents = new AgentsAtWork(server);
  const userDir = new UserDir();
  let hash: Readonly<Record<string, string>> = {};

  before(async () => {
    hash = { a: await hashPin('4711'), b: await hashPin('0815') };
  });
  after(() => userDir.remove());
  beforeEach(() => server.listen());
  afterEach(async () => {
    agents.leave();
    await unload();
    await server.close();
  });

  const pop = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'pop',
    type: 'screen-pop',
    z: 'tab',
    pbx: 'pbx',
    path: '/agent',
    agents: withPins({ 101: '', 102: '' }).agents,
    popAt: 'ringing',
    url: 'show_vars/?aon=%callerid%',
    wires: [['sink']],
    ...more,
  });
  const pins = (lines: Readonly<Record<string, string>>) => ({ pop: withPins(lines).credentials });
  const usual = () => pins({ 101: hash.a!, 102: hash.b! });
  const all = [server.init, userDir.init, amiConfig, storeConfig, callHistory, screenPop];
  const pbx = () => (node('pbx') as AmiConfigNode).pbx;
  const start = async (more: Record<string, unknown> = {}, others: readonly FlowNode[] = []) => {
    await load(all, [TAB, CONFIG, pop(more), SINK, ...others], { credentials: usual() });
    await until(() => pbx().calls.isKnown, 'the calls of the PBX');
  };
  const queuesIn = ({ data }: Told) => (data.queues as { list: readonly Queue[] }).list;
  const told = (list: readonly Told[], fits: (queue: Queue | undefined) => boolean) =>
    until(() => list.some((each) => each.name === 'state' && fits(queuesIn(each)[0])), 'the state of the queue');
  const codeOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as { error: { code: string } }).error.code;

  it('leaves nothing behind where its settings are refused', async () => {
    await load(all, [TAB, CONFIG, SINK], { credentials: usual() });
    const { client } = pbx();
    let open = 0;
    const subscribe = client.subscribe.bind(client);
    client.subscribe = (names, handler) => {
      const end = subscribe(names, handler);
      open += 1;
      return () => {
        open -= 1;
        end();
      };
    };
    for (const wrong of [{ url: 'javascript:alert(1)' }, { origins: 'crm' }])
      await deploy([TAB, CONFIG, pop({ ...wrong, name: JSON.stringify(wrong) }), SINK]);
    assert.equal(lastStatus('pop')?.text, 'screen-pop.status.settings');
    assert.equal(open, 0);
  });

  it('lets an agent join all queues that he may, and leave them', async () => {
    await start({ queues: true });
    await until(() => pbx().queues.members !== undefined, 'the queues of the PBX');
    const cookie = await agents.signIn('102', '0815');
    const act = (action: string) => agents.post('act', { action, all: true }, { cookie });
    const { queues } = pbx().queues.members!;
    const joined = await act('queue-login');
    assert.deepEqual([joined.status, (JSON.parse(joined.body) as { queues: unknown }).queues], [200, queues]);
    await until(() => pbx().queues.members?.placesOf('102').length === queues.length, 'him in the queues');
    assert.equal((await act('queue-logout')).status, 200);
    await until(() => pbx().queues.members?.placesOf('102').length === 0, 'him in no queue');
    assert.equal(codeOf(await act('queue-logout')), 'AGENT_QUEUE_NOT_ALLOWED');
  });

  describe('queues', () => {
    const withQueues = { queues: true, reasons: 'Lunch\n Break \n', queueList: 'support, closed' };

    it('lets an agent join, pause with a reason, come back and leave, as the PBX says it', async () => {
      await start(withQueues);
      const cookie = await agents.signIn('102', '0815');
      const page = await agents.listen('events', cookie);
      const act = (body: object) => agents.post('act', body, { cookie });
      await told(page, (queue) => queue?.id === 'support' && !queue.joined && queue.may === 'join');
      assert.deepEqual(page[0]?.data.queues && (page[0].data.queues as { reasons: unknown }).reasons, [
        'Lunch',
        'Break',
      ]);
      assert.equal((await act({ action: 'queue-login', queue: ['support'] })).status, 200);
      await told(page, (queue) => queue?.joined === true && queue.may === 'leave' && !queue.paused);
      assert.equal((await act({ action: 'pause', reason: 'Lunch' })).status, 200);
      await told(page, (queue) => queue?.paused === true && queue.reason === 'Lunch');
      assert.equal((await act({ action: 'unpause' })).status, 200);
      await until(() => page.length > 0 && queuesIn(page.at(-1)!)[0]?.paused === false, 'the end of the pause');
      assert.equal((await act({ action: 'queue-logout', queue: 'support' })).status, 200);
      await until(() => queuesIn(page.at(-1)!)[0]?.joined === false, 'the end in the queue');
      const done = messages('sink').filter(({ topic }) => topic === 'agent_action');
      assert.deepEqual(
        done.map(({ payload }) => (payload as { action: string }).action),
        ['queue-login', 'pause', 'unpause', 'queue-logout'],
      );
    });

    it('acts for who is signed in only, on queues and with reasons of the settings only', async () => {
      await start(withQueues);
      await until(() => pbx().queues.members !== undefined, 'the queues of the PBX');
      const cookie = await agents.signIn('102', '0815');
      const act = (body: object) => agents.post('act', body, { cookie });
      const other = await act({ action: 'queue-login', queue: 'vip' });
      assert.deepEqual([other.status, codeOf(other)], [403, 'AGENT_QUEUE_NOT_ALLOWED']);
      assert.equal(codeOf(await act({ action: 'queue-login', queue: 'closed' })), 'CONTROL_NO_QUEUE');
      assert.equal(codeOf(await act({ action: 'pause', reason: 'Lunch' })), 'CONTROL_NOT_MEMBER');
      // 101 is in the queue; 102 says it were for him.
      const foreign = await act({ action: 'pause', reason: 'Lunch', extension: '101' });
      assert.equal(codeOf(foreign), 'CONTROL_NOT_MEMBER');
      for (const reason of ['Holiday', undefined, 'Lunch\r\nAction: Logoff'])
        assert.equal((await act({ action: 'pause', reason })).status, 400, String(reason));
      const fixed = await agents.signIn('101', '4711');
      const leaving = await agents.post('act', { action: 'queue-logout', queue: 'support' }, { cookie: fixed });
      assert.equal(codeOf(leaving), 'CONTROL_NOT_POSSIBLE');
      assert.equal(pbx().queues.members?.placesOf('101')[0]?.paused, false);
    });

    it('shows no queues where the settings want none', async () => {
      await start();
      const cookie = await agents.signIn('102', '0815');
      const page = await agents.listen('events', cookie);
      await has(page, 'state');
      assert.equal(page[0]?.data.queues, undefined);
      assert.equal((await agents.post('act', { action: 'pause' }, { cookie })).status, 400);
    });
  });

  it('shows the card of the call again to who comes back, and after a redeploy, as the same card', async () => {
    await start();
    const cookie = await agents.signIn('101', '4711');
    const page = await agents.listen('events', cookie);
    const over = pbx().simulator!.call({ from: '79031112233', did: QUEUE });
    await has(page, 'pop');
    const { id, url } = page.find(({ name }) => name === 'pop')!.data;
    const again = await agents.listen('events', cookie);
    await has(again, 'state', ({ card }) => (card as { id?: string } | undefined)?.id === id);
    assert.ok(!again.some(({ name }) => name === 'pop'));
    await deploy([TAB, CONFIG, pop({ name: 'another' }), SINK]);
    await until(() => agents.open === 0, 'the end of the streams');
    const after = await agents.listen('events', cookie);
    await has(after, 'state', ({ card }) => (card as { url?: string } | undefined)?.url === url);
    await has(after, 'end');
    await over;
  });

  it('tells a page after a redeploy what it missed, once, and the calls as they are', async () => {
    await start();
    const cookie = await agents.signIn('101', '4711');
    const page = await agents.listen('events', cookie);
    node('pop')!.receive({ payload: { extension: '101', note: 'one' } });
    await has(page, 'note');
    const seen = page.find(({ name }) => name === 'note')!.id;
    await deploy([TAB, CONFIG, pop({ name: 'another' }), SINK]);
    node('pop')!.receive({ payload: { extension: '101', note: 'two' } });
    node('pop')!.receive({ payload: { extension: '102', note: 'not his' } });
    await pbx().simulator!.call({ from: '79031112233', did: QUEUE });
    const after = await agents.listen('events', cookie, seen);
    await has(after, 'state', ({ calls }) => (calls as object[]).length === 0);
    await until(() => after.some(({ name }) => name === 'end'), 'the end of the call');
    assert.deepEqual(
      after.filter(({ name }) => name === 'note').map(({ data }) => data.text),
      ['two'],
    );
  });

  it('says when the PBX is away, and tells all again when it is back', async () => {
    await start({ queues: true });
    const page = await agents.listen('events', await agents.signIn('101', '4711'));
    await has(page, 'state', ({ ready }) => ready === true);
    await told(page, (queue) => queue?.joined === true);
    const { simulator } = pbx();
    await simulator!.stop();
    await has(page, 'state', ({ ready, queues }) => ready === false && !(queues as { ready: boolean }).ready);
    page.length = 0;
    await has(page, 'state', ({ ready }) => ready === true);
    await told(page, (queue) => queue?.joined === true);
  });

  it('gives the calls of the day from the store', async () => {
    const store: FlowNode = { id: 'store', type: 'store-config', name: 'calls', file: 'calls.sqlite' };
    const history: FlowNode = { id: 'keep', type: 'call-history', z: 'tab', store: 'store', pbx: 'pbx', wires: [[]] };
    await start({ store: 'store' }, [store, history]);
    const [one, other] = [await agents.signIn('101', '4711'), await agents.signIn('102', '0815')];
    const callsOf = async (cookie: string) => {
      const { body } = await server.ask('/agent/history', { headers: { cookie } });
      return (JSON.parse(body) as { calls: { result?: string }[] }).calls;
    };
    assert.deepEqual(await callsOf(one), []);
    await pbx().simulator!.call({ from: '79031112233', did: QUEUE });
    await until(async () => (await callsOf(one)).length === 1, 'the call in the history', 20_000);
    assert.equal((await callsOf(one))[0]?.result, 'answered');
    assert.deepEqual(await callsOf(other), []);
    assert.equal((await server.ask('/agent/history')).status, 401);
    // The other office has a 101, too.
    const { calls } = (node('store') as StoreConfigNode).store!;
    const [own] = (await calls.find({ extensions: ['101'], limit: 10 })).calls;
    await calls.put([{ ...own!, callId: 'branch-1', eventId: 'branch-1', pbx: 'branch' }]);
    assert.equal((await calls.find({ extensions: ['101'], limit: 10 })).calls.length, 2);
    assert.equal((await callsOf(one)).length, 1);
  });

  it('asks an extension that was renamed to sign in anew, and tells it nothing of the old', async () => {
    await start();
    const cookie = await agents.signIn('102', '0815');
    const page = await agents.listen('events', cookie);
    await has(page, 'state');
    const renamed = { 101: hash.a!, 105: hash.b! };
    const { agents: table } = withPins(renamed);
    await deploy([TAB, CONFIG, pop({ name: 'another', agents: table }), SINK], 'nodes', pins(renamed));
    await until(() => agents.open === 0, 'the end of the stream');
    assert.equal((await server.ask('/agent/events', { headers: { cookie } })).status, 401);
    assert.equal((await agents.post('act', { action: 'hangup', legId: '1' }, { cookie })).status, 401);
    const anew = await agents.listen('events', await agents.signIn('105', '0815'));
    await has(anew, 'state', ({ extension }) => extension === '105');
  });

  it('remembers over a deploy who has signed out, and who guesses', async () => {
    await start();
    const cookie = await agents.signIn('101', '4711');
    await agents.post('sign-out', {}, { cookie });
    const enter = (pin: string) => agents.post('session', { extension: '102', pin });
    for (let i = 0; i < 5; i += 1) assert.equal((await enter('0000')).status, 401);
    await deploy([TAB, CONFIG, pop({ name: 'another' }), SINK]);
    assert.equal((await server.ask('/agent/events', { headers: { cookie } })).status, 401);
    assert.equal((await enter('0815')).status, 429);
  });

  it('leaves nothing behind when it is deployed again and again, and deleted', async () => {
    await start({ queues: true });
    const cookie = await agents.signIn('101', '4711');
    const { layers } = server;
    for (let i = 0; i < 5; i += 1) {
      const page = await agents.listen('events', cookie);
      await has(page, 'state');
      await deploy([TAB, CONFIG, pop({ name: `name ${i}`, queues: true }), SINK]);
      await until(() => agents.open === 0, 'the end of the stream');
    }
    assert.equal(server.layers, layers);
    await agents.listen('events', cookie);
    await deploy([TAB, CONFIG, SINK]);
    await until(() => agents.open === 0 && server.connections === 0, 'the end of the connections');
    assert.equal((await server.ask('/agent/')).status, 404);
    // The same node, drawn anew, knows nothing of what was.
    await deploy([TAB, CONFIG, pop(), SINK]);
    assert.equal((await server.ask('/agent/')).status, 200);
  });

  it('says which node has the path, and takes it over when that one goes', async () => {
    const second: FlowNode = { ...pop(), id: 'late', name: 'late', agents: [], wires: [[]] };
    await start({ name: 'first' }, [second]);
    await waitForStatus('late', { fill: 'red', shape: 'ring', text: 'screen-pop.status.path-taken' });
    const told = logLines('late').filter(({ level }) => level === 'warn');
    assert.equal(told.length, 1);
    assert.match(told[0]?.text ?? '', /\/agent is taken: another node serves it, "first"/);
    await deploy([TAB, CONFIG, second, SINK]);
    await until(() => lastStatus('late')?.fill === 'green', 'its turn');
  });

  it('opens no address that is no web page, whoever gives it', async () => {
    await start({}, [{ id: 'catch', type: 'catch', z: 'tab', scope: ['pop'], wires: [['sink']] }]);
    const page = await agents.listen('events', await agents.signIn('101', '4711'));
    await has(page, 'state');
    const bad = [
      'javascript:alert(1)',
      ' JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      '//evil.example',
      'https://a:b@evil.example/',
    ];
    for (const url of bad) {
      node('pop')!.receive({ payload: { extension: '101', url } });
      node('pop')!.receive({ payload: { extension: '101' }, contact: { found: true, entities: [{ url }] } });
    }
    await until(() => messages('sink').filter((msg) => 'error' in msg).length === bad.length * 2, 'the refusals');
    node('pop')!.receive({ payload: { extension: '101', note: 'last' } });
    await has(page, 'note');
    assert.ok(!page.some(({ name }) => name === 'pop'));
  });

  it('refuses a message that says for nobody, and shows it to nobody', async () => {
    await start({}, [{ id: 'catch', type: 'catch', z: 'tab', scope: ['pop'], wires: [['sink']] }]);
    const page = await agents.listen('events', await agents.signIn('101', '4711'));
    await has(page, 'state');
    const forNobody = [{ note: 'VIP' }, { extension: ' ', note: 'VIP' }, { extension: {}, note: 'VIP' }, 'VIP'];
    for (const payload of forNobody) node('pop')!.receive({ payload });
    const errors = () => messages('sink').flatMap(({ error }) => (error ? [(error as Error).message] : []));
    await until(() => errors().length === forNobody.length, 'the refusals');
    for (const text of errors()) assert.match(text, /names no extension: set payload\.extension/);
    node('pop')!.receive({ payload: { extension: '101', note: 'last' } });
    await has(page, 'note', ({ text }) => text === 'last');
    assert.equal(page.filter(({ name }) => name === 'note').length, 1);
  });

  it('refuses an event whose members are of another kind, and opens the card of one that is right', async () => {
    await start({ popAt: 'never' }, [{ id: 'catch', type: 'catch', z: 'tab', scope: ['pop'], wires: [['sink']] }]);
    const page = await agents.listen('events', await agents.signIn('101', '4711'));
    await has(page, 'state');
    const call = {
      eventId: '1',
      pbx: 'office',
      callId: '1',
      direction: 'in',
      extension: '101',
      startedAt: '2026-07-20T09:05:00Z',
    };
    const send = (number: unknown) =>
      node('pop')!.receive({ topic: 'call_answer', payload: { ...call, client: { number } } });
    send(79031112233);
    await until(() => messages('sink').some((msg) => 'error' in msg), 'the refusal');
    const { error } = messages('sink').find((msg) => 'error' in msg) as unknown as { error: { message: string } };
    assert.match(error.message, /payload\.client\.number must be a text/);
    send('79031112233');
    await has(page, 'pop', ({ url }) => url === 'show_vars/?aon=79031112233');
    // What a flow made of an event is no call any more, whatever its topic.
    node('pop')!.receive({ topic: 'call_answer', payload: { extension: '101', note: 'VIP' } });
    await has(page, 'note');
  });

  it('says to each message what is wrong with the settings', async () => {
    const told: FlowNode = { id: 'catch', type: 'catch', z: 'tab', scope: ['pop'], wires: [['sink']] };
    await load(all, [TAB, CONFIG, pop({ url: 'javascript:alert(1)' }), SINK, told], { credentials: usual() });
    node('pop')!.receive({ payload: { extension: '101', note: 'one' } });
    await until(() => messages('sink').some((msg) => 'error' in msg), 'the refusal');
    const { error } = messages('sink').find((msg) => 'error' in msg) as unknown as { error: { message: string } };
    assert.match(error.message, /The address "javascript:alert\(1\)" cannot be opened/);
    await deploy([TAB, CONFIG, pop({ origins: 'https://crm.example.com, crm.example.com:8080' }), SINK, told]);
    await waitForStatus('pop', { fill: 'red', shape: 'dot', text: 'screen-pop.status.settings' });
    assert.match(logLines('pop').at(-1)?.text ?? '', /"crm\.example\.com:8080" is no origin/);
  });

  it('says by the status what is wrong with a request, and tells the flow all of what was asked in vain', async () => {
    await start({ queues: true, queueList: 'support' });
    const long = await agents.post('session', { extension: '1'.repeat(5000) });
    assert.deepEqual([long.status, codeOf(long)], [413, 'PROTOCOL_BODY_TOO_LARGE']);
    const packed = await agents.post('session', {}, { 'content-encoding': 'gzip' });
    assert.deepEqual([packed.status, codeOf(packed)], [415, 'PROTOCOL_MEDIA_TYPE']);
    const cookie = await agents.signIn('102', '0815');
    await agents.post('act', { action: 'queue-login', queue: 'vip' }, { cookie });
    const told = messages('sink').find(({ topic }) => topic === 'agent_action')?.payload as Record<string, unknown>;
    assert.deepEqual([told.ok, told.queue, told.error], [false, 'vip', { code: 'AGENT_QUEUE_NOT_ALLOWED' }]);
  });

  it('keeps four streams of one browser, and says so to the fifth', async () => {
    await start();
    const cookie = await agents.signIn('101', '4711');
    for (let i = 0; i < 4; i += 1) await agents.listen('events', cookie);
    assert.equal((await server.ask('/agent/events', { headers: { cookie } })).status, 429);
    const why = await server.ask('/agent/session', { headers: { cookie } });
    assert.deepEqual([why.status, codeOf(why)], [429, 'AGENT_TOO_MANY_TABS']);
    await agents.post('sign-out', {}, { cookie });
    await until(() => agents.open === 0, 'the end of the streams');
  });
});
