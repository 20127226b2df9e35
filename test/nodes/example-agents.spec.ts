import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { NodeInitializer } from 'node-red';
import amiEvent from '../../nodes/ami-event';
import callHistory from '../../nodes/call-history';
import screenPop from '../../nodes/screen-pop';
import simulatedCall from '../../nodes/simulated-call';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { AgentsAtWork, type Told } from './support/agents';
import { debugNamed, only, readExample } from './support/example-flows';
import { FlowServer } from './support/http';
import { routeNodes } from './support/route-flow';
import { load, messages, node, receive, unload } from './support/runtime';
import { UserDir } from './support/store-flow';

/** Nodes of Node-RED itself, as it installed them. */
const core = createRequire(require.resolve('node-red'));
const coreNodes = ['network/21-httpin', 'function/15-change', 'function/80-template'].map(
  (name) => core(`@node-red/nodes/core/${name}`) as NodeInitializer,
);

interface Shown {
  readonly state: string;
  readonly legId: string;
}

describe('the example of the agent page', () => {
  const server = new FlowServer();
  const flow = readExample('11-agent-page.json');
  let user: UserDir;
  const agents = new AgentsAtWork(server, '/agents');
  let stream: readonly Told[] = [];
  let cookie: string;

  before(() => server.listen());
  after(() => server.close());
  beforeEach(async () => {
    user = new UserDir();
    const own = [...routeNodes, amiEvent, callHistory, screenPop, simulatedCall, storeConfig];
    const listening = flow.map((each) => (each.type === 'debug' ? { ...each, type: 'sink' } : each));
    await load(
      [user.init, server.init, ...coreNodes, ...own],
      listening.filter(({ type }) => !/^(?:inject|comment)$/.test(type)),
    );
    const { pbx } = node(only(flow, 'ami-config').id) as AmiConfigNode;
    await until(() => pbx.client.state.phase === 'ready', 'the simulator');
    cookie = await agents.signIn('101', '0000');
    stream = await agents.listen('events', cookie);
  });
  afterEach(async () => {
    agents.leave();
    await unload();
    user.remove();
  });

  const press = (button: string): void => {
    const found = flow.find(({ type, name }) => type === 'inject' && name === button);
    receive(only(flow, 'simulated-call').id, { payload: JSON.parse(String(found?.payload)) as object });
  };
  const told = (name: string): Readonly<Record<string, unknown>>[] =>
    stream.filter((each) => each.name === name).map(({ data }) => data);
  async function page(language = 'en-US,en;q=0.9'): Promise<string> {
    await until(() => told('pop').length > 0, 'the page to open');
    const { url, tab } = told('pop')[0] ?? {};
    assert.equal(tab, false);
    const path = new URL(String(url), 'http://server/agents/').href.slice(13);
    const { status, body } = await server.ask(path, { headers: { 'accept-language': language } });
    assert.equal(status, 200);
    return body;
  }
  async function talking(): Promise<string> {
    const isTalking = ({ call }: Readonly<Record<string, unknown>>): boolean => (call as Shown).state === 'talking';
    await until(() => told('call').some(isTalking), 'the conversation');
    return (told('call').find(isTalking)?.call as Shown).legId;
  }
  async function act(action: string, legId: string): Promise<void> {
    const { status, body } = await agents.post('act', { action, legId }, { cookie });
    assert.equal(status, 200, body);
  }

  it('opens the card of a client of the CRM, and his call can be held and ended', async () => {
    press('a client of the CRM calls 101');
    assert.match(await page(), /<h1>Петров АА<\/h1>[^]*\+74951343060[^]*Анна Смирнова 101[^]*ООО Ромашка/);
    assert.match(await page('ru-RU,ru;q=0.9'), /<html lang="ru">[^]*<dt>Ответственный<\/dt>[^]*<dt>Компания<\/dt>/);
    assert.equal(told('note')[0]?.text, 'Петров АА, +74951343060');
    const legId = await talking();
    await act('hold', legId);
    await until(() => told('call').some(({ call }) => (call as Shown).state === 'held'), 'the hold');
    await act('hangup', legId);
    await until(() => told('end').length > 0, 'the end');
    await until(() => messages(debugNamed(flow, 'what agents did').id).length === 3, 'the actions in the flow');
    const history = async () =>
      JSON.parse((await server.ask('/agents/history', { headers: { cookie } })).body) as { calls: unknown[] };
    await until(async () => (await history()).calls.length === 1, 'the call among those of the day');
  });

  it('opens the sales script for somebody the CRM does not know', async () => {
    press('somebody unknown calls the queue');
    const text = await page();
    assert.match(text, /Sales script[^]*84957654321/);
    assert.match(text, /<dt>Region<\/dt><dd>[^<]+<\/dd>[^]*<dd>support<\/dd>[^]*<dd>101 Анна Смирнова<\/dd>/);
    assert.match(await page('ru'), /<html lang="ru">[^]*84957654321[^]*<li>Что вы ищете\?<\/li>/);
    await act('hangup', await talking());
  });
});
