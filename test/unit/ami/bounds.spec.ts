import assert from 'node:assert/strict';
import { createAmiClient } from '../../../lib/ami';
import { Answers } from '../../../lib/ami/answers';
import { AmiEngine } from '../../../lib/ami/engine';
import { MAX_LINE_BYTES, MAX_PENDING_ACTIONS } from '../../../lib/ami/limits';
import { TextMessage } from '../../../lib/ami/message';
import { codeOf, ready } from '../../support/ami-conformance';
import { FakeAmiServer, type FakeServerOptions } from '../../support/fake-ami-server';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';
import { rig, type Rig } from './drivers';

describe('AMI client at its bounds', () => {
  let server: FakeAmiServer;
  let it_: Rig;

  const open = async (options?: FakeServerOptions): Promise<Rig> => {
    server = await FakeAmiServer.start(options);
    it_ = rig(createAmiClient, server);
    it_.client.connect();
    return it_;
  };

  afterEach(async () => {
    const closed = it_.client.close();
    it_.clock.advance(2000);
    await closed;
    await server.stop();
  });

  it('drops the link at a line over the bound, and makes a new one', async () => {
    const { client, clock } = await open();
    await ready(client);
    server.last.raw(Buffer.alloc(MAX_LINE_BYTES + 65_537, 'x'));
    await until(() => client.state.phase === 'waiting', 'the end of the link');
    assert.equal(client.state.error?.code, 'AMI_MESSAGE_TOO_LONG');
    clock.advance(1000);
    await ready(client);
    assert.equal(client.state.session, 2);
  });

  it('reads an answer of 80 000 lines', async () => {
    const { client } = await open();
    server.on('Command', (action, from) => {
      const output = Array.from({ length: 80_000 }, (_, n) => `Output: line ${n} of a long answer\r\n`);
      from.raw(`Response: Success\r\nActionID: ${action.ActionID ?? ''}\r\n${output.join('')}\r\n`);
    });
    await ready(client);
    const answer = await client.action({ action: 'Command', headers: { Command: 'x' } });
    assert.equal(answer.all('Output').length, 80_000);
  });

  it('says so when what answers is no Asterisk', async () => {
    for (const greeting of ['SSH-2.0-OpenSSH_9.2\r\n', 'x'.repeat(400)]) {
      const { client } = await open({ greeting });
      await until(() => client.state.phase === 'refused', 'the refusal');
      assert.equal(client.state.error?.code, 'AMI_NOT_ASTERISK');
      await client.close();
      await server.stop();
    }
    await server.listen();
  });

  it('refuses a port that is none', async () => {
    server = await FakeAmiServer.start();
    it_ = rig(createAmiClient, server, { port: 70_000 });
    it_.client.connect();
    assert.equal(it_.client.state.phase, 'refused');
    assert.equal(it_.client.state.error?.code, 'AMI_CONNECT_FAILED');
  });

  it('takes no more actions while the other side does not read', async () => {
    const { client, clock } = await open();
    await ready(client);
    server.last.freeze();
    const headers = { X: Array<string>(120).fill('y'.repeat(1000)) };
    const codes: Promise<string>[] = [];
    for (let n = 0; n < MAX_PENDING_ACTIONS - 1; n++) codes.push(codeOf(client.action({ action: 'Test', headers })));
    const closed = client.close();
    clock.advance(1000);
    await closed;
    const all = await Promise.all(codes);
    assert.ok(all.includes('AMI_LINK_LOST'), 'the first ones were sent');
    assert.equal(all.at(-1), 'AMI_TOO_MANY_PENDING');
    server.last.socket.resume();
  }).timeout(30_000);

  it('gives up on a connection that does not come about', async () => {
    server = await FakeAmiServer.start();
    const clock = new FakeClock();
    const calls: string[] = [];
    const transport = { send: () => true, end: () => calls.push('end'), destroy: () => calls.push('destroy') };
    const options = { host: 'pbx.example', port: 5038, username: 'u', secret: 's' };
    const client = new AmiEngine(options, () => transport, { clock, random: () => 0.5 });
    it_ = { ...it_, client, clock };
    client.connect();
    clock.advance(9999);
    assert.equal(client.state.phase, 'connecting');
    clock.advance(1);
    assert.equal(client.state.phase, 'waiting');
    assert.equal(client.state.error?.code, 'AMI_CONNECT_TIMEOUT');
    assert.deepEqual(calls, ['destroy']);
  });
});

describe('AMI event lists at their bounds', () => {
  const item = (text: string): TextMessage => new TextMessage('event', 'Item', text);

  it('rejects a list with too many items, and lets the rest of it pass', async () => {
    const answers = new Answers(new FakeClock(), 'pbx:5038', { items: 3, chars: 1000 });
    const code = codeOf(answers.many('id', 'Test', 1000));
    for (let n = 0; n < 10; n++) answers.item('id', item('Event: Item'));
    assert.equal(await code, 'AMI_LIST_TOO_LONG');
    assert.equal(answers.size, 0);
    assert.equal(answers.collecting, false);
  });

  it('rejects a list with too much text', async () => {
    const clock = new FakeClock();
    const answers = new Answers(clock, 'pbx:5038', { items: 100, chars: 1000 });
    const code = codeOf(answers.many('id', 'Test', 1000));
    answers.item('id', item('x'.repeat(600)));
    answers.item('id', item('x'.repeat(600)));
    assert.equal(await code, 'AMI_LIST_TOO_LONG');
    assert.equal(clock.running, 0);
  });
});
