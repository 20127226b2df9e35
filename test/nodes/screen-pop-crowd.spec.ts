import assert from 'node:assert/strict';
import { hashPin } from '../../lib/agents/pins';
import { signToken } from '../../lib/agents/tokens';
import amiConfig from '../../nodes/ami-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import screenPop from '../../nodes/screen-pop';
import { until } from '../support/wait';
import { AgentsAtWork, withPins } from './support/agents';
import type { Told } from './support/agents';
import { FlowServer } from './support/http';
import { load, node, unload } from './support/runtime';
import { UserDir } from './support/store-flow';

const AGENTS = 200;
const NOTES = 20;
const SECRET = 'a key for all the links';
const LINK = { purpose: 'link', place: 'office' } as const;

describe('screen-pop with two hundred agents', () => {
  const server = new FlowServer();
  const agents = new AgentsAtWork(server);
  const userDir = new UserDir();

  before(() => server.listen());
  after(async () => {
    agents.leave();
    await unload();
    await server.close();
    userDir.remove();
  });

  it('tells each his own only, at once and within bounds', async function () {
    this.timeout(120_000);
    const { agents: table, credentials } = withPins({ 101: await hashPin('4711') });
    const flow = [
      { id: 'tab', type: 'tab' },
      { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' },
      { id: 'pop', type: 'screen-pop', z: 'tab', pbx: 'pbx', path: '/agent', agents: table, queues: true, wires: [[]] },
    ];
    await load([server.init, userDir.init, amiConfig, screenPop], flow, {
      credentials: { pop: { ...credentials, secret: SECRET } },
    });
    await until(() => (node('pbx') as AmiConfigNode).pbx.calls.isKnown, 'the PBX');
    const extensions = Array.from({ length: AGENTS }, (_, i) => String(200 + i));
    const cookies = await Promise.all(
      extensions.map(async (extension) => {
        const token = signToken(LINK, extension, Date.now() + 60_000, SECRET);
        const { headers } = await agents.post('session', { token });
        return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
      }),
    );
    const before = process.memoryUsage().heapUsed;
    const pages: Told[][] = await Promise.all(cookies.map((cookie) => agents.listen('events', cookie)));
    await until(() => pages.every((page) => page.some(({ name }) => name === 'state')), 'all states', 30_000);
    assert.equal(agents.open, AGENTS);
    for (let i = 0; i < NOTES; i += 1) {
      for (const extension of extensions) {
        node('pop')!.receive({ payload: { extension, note: `${extension} ${i}` } });
      }
    }
    const notesIn = (page: readonly Told[]) => page.filter(({ name }) => name === 'note').map(({ data }) => data.text);
    await until(() => pages.every((page) => notesIn(page).length === NOTES), 'all notes', 60_000);
    for (const [index, page] of pages.entries()) {
      const own = Array.from({ length: NOTES }, (_, i) => `${extensions[index] ?? ''} ${i}`);
      assert.deepEqual(notesIn(page), own);
      assert.ok(page.every(({ name, data }) => name !== 'state' || data.extension === extensions[index]));
    }
    // Both ends are in this process; what a page is kept for is a hundred events at most.
    const grown = (process.memoryUsage().heapUsed - before) / AGENTS / 1024;
    assert.ok(grown < 500, `${grown.toFixed(0)} KiB for each page`);
    agents.leave();
    await until(() => server.connections === 0, 'the end of the connections');
  });
});
