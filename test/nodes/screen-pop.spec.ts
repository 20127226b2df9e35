import assert from 'node:assert/strict';
import { hashPin, isPin } from '../../lib/agents/pins';
import { signToken } from '../../lib/agents/tokens';
import amiConfig from '../../nodes/ami-config';
import screenPop from '../../nodes/screen-pop';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { AgentsAtWork, has, withPins } from './support/agents';
import type { Told } from './support/agents';
import { FlowServer } from './support/http';
import { admin, lastStatus, load, logLines, messages, node, unload, type FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

const TAB: FlowNode = { id: 'tab', type: 'tab' };
const CONFIG: FlowNode = { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' };
const SINK: FlowNode = { id: 'sink', type: 'sink', z: 'tab', wires: [] };
const OWN = { 'x-telephony-crm': '1' };
const SECRET = 'a key for all the links';
const LINK = { purpose: 'link', place: 'office' } as const;
/** A queue of the simulator: 101 answers. */
const QUEUE = '74951000170';

describe('screen-pop', () => {
  const server = new FlowServer();
  const userDir = new UserDir();
  let pins = withPins({});
  const agents = new AgentsAtWork(server);

  before(async () => {
    pins = withPins({ 101: await hashPin('4711'), 102: await hashPin('0815') });
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
    agents: pins.agents,
    wires: [['sink']],
    ...more,
  });
  const start = (more: Record<string, unknown> = {}, secret = SECRET) =>
    load([server.init, userDir.init, amiConfig, screenPop], [TAB, CONFIG, pop(more), SINK], {
      credentials: { pop: { ...pins.credentials, secret } },
    });
  const simulator = () => (node('pbx') as AmiConfigNode).pbx.simulator!;
  const connected = () => until(() => (node('pbx') as AmiConfigNode).pbx.client.state.phase === 'ready', 'the link');

  const callIn = ({ data }: Told) => data.call as { state: string; number: string; legId: string };

  it('tells an agent of his own calls, and nobody else of them', async () => {
    await start();
    await connected();
    const one = await agents.listen('events', await agents.signIn('101', '4711'));
    const other = await agents.listen('events', await agents.signIn('102', '0815'));
    await has(one, 'state');
    await has(other, 'state');
    await simulator().call({ from: '79031112233', did: QUEUE });
    await has(one, 'end');
    const states = one.filter(({ name }) => name === 'call').map((each) => callIn(each).state);
    assert.deepEqual(states, ['ringing', 'talking']);
    assert.equal(callIn(one.find(({ name }) => name === 'call')!).number, '+79031112233');
    assert.ok(other.every(({ name, data }) => name === 'state' && (data.calls as object[]).length === 0));
    assert.equal(messages('sink')[0]?.topic, 'agent_signed_in');
  });

  it('hangs up a call for who has it only', async () => {
    await start();
    await connected();
    const [mine, theirs] = [await agents.signIn('101', '4711'), await agents.signIn('102', '0815')];
    const told = await agents.listen('events', mine);
    await has(told, 'state');
    const over = simulator().call({ from: '79031112233', did: QUEUE });
    await until(
      () => told.some((each) => each.name === 'call' && callIn(each).state === 'talking'),
      'the conversation',
    );
    const { legId } = callIn(told.find(({ name }) => name === 'call')!);
    const hangup = { action: 'hangup', legId };
    const late = await agents.listen('events', mine);
    await has(late, 'state');
    assert.equal((late[0]?.data.calls as { legId: string }[])[0]?.legId, legId);
    assert.equal((await server.post('/agent/act', hangup, { ...OWN, cookie: theirs })).status, 403);
    assert.equal((await server.post('/agent/act', hangup, { cookie: mine })).status, 403);
    assert.equal((await server.post('/agent/act', { ...hangup, action: 'set' }, { ...OWN, cookie: mine })).status, 400);
    const done = await server.post('/agent/act', hangup, { ...OWN, cookie: mine });
    assert.equal(done.status, 200, done.body);
    await has(told, 'end');
    await over;
  });

  it('lets nobody in by a wrong PIN, and makes guessing slow', async () => {
    await start();
    const wrong = () => server.post('/agent/session', { extension: '101', pin: '0000' }, OWN);
    for (let i = 0; i < 5; i += 1) assert.equal((await wrong()).status, 401);
    const refused = await server.post('/agent/session', { extension: '101', pin: '4711' }, OWN);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    await agents.signIn('102', '0815');
    assert.equal((await server.ask('/agent/events')).status, 401);
    assert.equal((await server.post('/agent/session', { extension: '102', pin: '0815' })).status, 403);
  });

  it('opens the address of the template with the parameters of the call, and what the flow pushes', async () => {
    await start({ popAt: 'ringing', url: 'https://crm.example.com/c?tel=%callerid%&who=%agent_phone%' });
    await connected();
    const page = await server.ask('/agent/');
    assert.match(String(page.headers['content-security-policy']), /frame-src 'self' https:\/\/crm\.example\.com;/);
    assert.equal((await server.ask('/agent')).headers.location, './agent/');
    const told = await agents.listen('events', await agents.signIn('101', '4711'));
    await has(told, 'state');
    const over = simulator().call({ from: '79031112233', did: QUEUE });
    await has(told, 'pop');
    const { url, tab } = told.find(({ name }) => name === 'pop')!.data;
    assert.deepEqual([url, tab], ['https://crm.example.com/c?tel=79031112233&who=101', false]);
    node('pop')!.receive({
      payload: { extension: '101', note: 'VIP', url: 'https://elsewhere.example.com/1' },
    });
    await has(told, 'note');
    await until(() => told.filter(({ name }) => name === 'pop').length === 2, 'the pushed address');
    assert.equal(told.filter(({ name }) => name === 'pop')[1]?.data.tab, true);
    await over;
  });

  it('gives a page of the CRM the messages of UserCRM for a token', async () => {
    await start({ origins: 'https://crm.example.com' });
    await connected();
    assert.equal((await server.ask('/agent/stream?token=101.1.x')).status, 401);
    const told = await agents.listen(`stream?token=${signToken(LINK, '101', Date.now() + 60_000, SECRET)}`);
    await simulator().call({ from: '79031112233', did: QUEUE });
    await until(() => told.some(({ data }) => data.action === 'call_hangup'), 'the end');
    assert.deepEqual(
      told.map(({ data }) => data.action).filter((action) => String(action).startsWith('call_')),
      ['call_ringing', 'call_answer', 'call_hangup'],
    );
  });

  it('gives it what the agent is in the queues, and nothing of others', async () => {
    await start({ queues: true });
    await connected();
    const { pbx } = node('pbx') as AmiConfigNode;
    await until(() => pbx.queues.stats.members > 0, 'the members');
    const stream = (extension: string) =>
      agents.listen(`stream?token=${signToken(LINK, extension, Date.now() + 60_000, SECRET)}`);
    const [own, other] = [await stream('101'), await stream('105')];
    const pause = (extension: string, Reason: string) =>
      pbx.client.action({ action: 'QueuePause', headers: { Interface: `PJSIP/${extension}`, Paused: 'true', Reason } });
    await pause('101', 'Обед');
    await pause('105', 'Учёба');
    const changes = (told: readonly Told[]) => told.filter(({ data }) => data.action === 'agent_change');
    await until(() => changes(own).length > 0 && changes(other).length > 0, 'both pauses');
    assert.deepEqual(
      changes(own).map(({ data }) => data.body),
      [{ user_uid: '101', crm_user: '', base_status: -3, extra_status: 3, status_name: 'Обед' }],
    );
    assert.equal(changes(other).length, 1);
  });

  it('lets nobody in while the key for links is one that can be guessed', async () => {
    await start({}, 'short enough 15');
    assert.equal(lastStatus('pop')?.text, 'screen-pop.status.settings');
    assert.match(
      logLines('pop')
        .map(({ text }) => text)
        .join('\n'),
      /16 characters/,
    );
    assert.equal((await server.ask('/agent/')).status, 404);
  });

  it('says which agents have lost their PINs, as after an import, and lets the others in', async () => {
    await start({ agents: [...pins.agents, { extension: '103', slot: 7 }] });
    assert.match(
      logLines('pop')
        .map(({ text }) => text)
        .join('\n'),
      /have no PIN: 103\./,
    );
    await agents.signIn('101', '4711');
    assert.equal((await server.post('/agent/session', { extension: '103', pin: '4711' }, OWN)).status, 401);
  });

  it('gives the dialog the hash of a PIN, and its own words where the PIN is none', async () => {
    await start();
    const set = (pin: string) => admin().post('/telephony-crm/screen-pop/pop/pin').send({ pin, lang: 'en' });
    const { hash } = (await set('471100').expect(200)).body as { readonly hash: string };
    assert.equal(await isPin('471100', hash), true);
    const { error } = (await set('123').expect(400)).body as { readonly error: object };
    assert.deepEqual(error, { code: 'AGENT_BAD_PIN', message: 'A PIN has 4 to 64 characters.' });
  });

  it('shows what a template gives, and never as markup', async () => {
    await start();
    const shown = await server.ask(`/agent/show_vars?aon=${encodeURIComponent('<script>alert(1)</script>')}`);
    assert.match(shown.body, /&#60;script&#62;/);
    assert.doesNotMatch(shown.body, /<script/);
  });
});
