import assert from 'node:assert/strict';
import { FlowServer } from './support/http';
import { manualFlow, routeNodes } from './support/route-flow';
import { lastStatus, load, messages, receive, unload, waitForMessages, waitForStatus } from './support/runtime';
import type { FlowNode } from './support/runtime';

const NOBODY = 'name=&number=';
const entities = [{ type: 'contact', id: '2' }];

describe('usercrm-out', () => {
  const server = new FlowServer();

  before(() => server.listen());
  after(() => server.close());
  afterEach(unload);

  const start = (property = 'contact') =>
    load(
      [server.init, ...routeNodes],
      manualFlow({ deadline: '60' })
        .map((node): FlowNode => (node.id === 'out' ? { ...node, property } : node))
        .concat(
          { id: 'complete', type: 'complete', z: 'f', scope: ['out'], uncaught: false, wires: [['completed']] },
          { id: 'completed', type: 'sink', z: 'f', wires: [] },
        ),
    );

  /** Asks, lets the flow answer with this message, and gives what the asker got. */
  async function answered(msg: Record<string, unknown>): Promise<string> {
    const asked = messages('sink').length;
    const asking = server.ask('/forward?phone=84951343060');
    const question = (await waitForMessages('sink', asked + 1))[asked];
    receive('out', { ...question, ...msg });
    return (await asking).body;
  }
  const codes = () => messages('caught').map((caught) => (caught.error as { code?: string; message: string }).message);

  it('tells the contact of crm-lookup: extension only when the call can go there', async () => {
    await start();
    const contact = { found: true, outcome: 'found', name: 'VIP', extension: '101', entities, tookMs: 1 };
    assert.equal(await answered({ contact }), 'name=VIP&number=101');
    await waitForStatus('out', { fill: 'green', text: '101' });
    assert.equal(await answered({ contact: { ...contact, outcome: 'not-available' } }), 'name=VIP&number=');
    await waitForStatus('out', { fill: 'green', text: 'usercrm-out.status.name' });
    assert.equal(await answered({ contact: { found: false, outcome: 'timeout', entities: [], tookMs: 1 } }), NOBODY);
    await waitForStatus('out', { fill: 'green', text: 'usercrm-out.status.nobody' });
    await waitForMessages('completed', 3);
    assert.deepEqual(codes(), []);
  });

  it('tells what was written by hand, into the payload or into the chosen property', async () => {
    await start('answer.here');
    assert.equal(await answered({ payload: { name: 'VIP', extension: 101 } }), 'name=VIP&number=101');
    assert.equal(await answered({ answer: { here: { extension: '102' } } }), 'name=&number=102');
    assert.equal(await answered({ payload: { found: false } }), NOBODY);
  });

  it('lets nobody wait for a message without an answer, and says what is missing', async () => {
    await start();
    const began = performance.now();
    assert.equal(await answered({}), NOBODY);
    assert.ok(performance.now() - began < 5000);
    await waitForMessages('caught');
    assert.match(codes()[0] ?? '', /msg\.contact/);
    assert.deepEqual([messages('caught').length, messages('completed').length], [1, 0]);
    assert.deepEqual([lastStatus('out')?.fill, lastStatus('out')?.text], ['yellow', 'usercrm-out.status.no-answer']);
  });

  it('refuses an extension that could do more than be dialled', async () => {
    await start();
    assert.equal(await answered({ payload: { name: 'VIP', extension: '101&SIP/trunk/8' } }), NOBODY);
    await waitForMessages('caught');
    assert.match(codes()[0] ?? '', /cannot be dialled safely/);
    assert.equal(messages('caught').length, 1);
  });

  it('answers each question once; the second answer is one error', async () => {
    await start();
    const asking = server.ask('/forward?phone=84951343060');
    const [question] = await waitForMessages('sink');
    receive('out', { ...question, payload: { extension: '101' } });
    receive('out', { ...question, payload: { extension: '102' } });
    assert.equal((await asking).body, 'name=&number=101');
    await waitForMessages('caught');
    assert.match(codes()[0] ?? '', /already answered/);
    assert.equal(messages('caught').length, 1);
    assert.deepEqual([lastStatus('out')?.fill, lastStatus('out')?.text], ['yellow', 'usercrm-out.status.gone']);
  });

  it('says that a message carries no question', async () => {
    await start();
    for (const usercrm of [undefined, null, 'x', {}, { id: 7 }])
      receive('out', { payload: { extension: '101' }, usercrm });
    await waitForMessages('caught', 5);
    assert.match(codes()[0] ?? '', /no question/);
    assert.equal(messages('caught').length, 5);
    assert.equal(lastStatus('out')?.text, 'usercrm-out.status.no-question');
  });

  it('lets nobody wait for an answer that cannot even be read', async () => {
    await start();
    const began = performance.now();
    const broken = {
      get extension(): string {
        throw new Error('broken getter');
      },
    };
    assert.equal(await answered({ payload: broken }), NOBODY);
    assert.ok(performance.now() - began < 5000);
    await waitForMessages('caught');
    assert.match(codes().join(), /^(?:Error: )?broken getter$/);
    assert.equal(lastStatus('out')?.text, 'usercrm-out.status.no-answer');
  });
});
