import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { createAsteriskManagerClient, type AmiMessage } from '../../../lib/ami';
import { ready } from '../../support/ami-conformance';
import { FakeAmiServer } from '../../support/fake-ami-server';
import { until } from '../../support/wait';

describe('AMI driver asterisk-manager', () => {
  let server: FakeAmiServer;

  beforeEach(async () => {
    server = await FakeAmiServer.start();
  });
  afterEach(() => server.stop());

  const options = (): Parameters<typeof createAsteriskManagerClient>[0] => {
    const { host, port, username, secret } = server;
    return { host, port, username, secret };
  };

  it('says how to get the package when it is not installed', async () => {
    const load = (): never => {
      throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
    };
    const client = createAsteriskManagerClient(options(), { load });
    client.connect();
    assert.equal(client.state.phase, 'refused');
    assert.equal(client.state.error?.code, 'AMI_DRIVER_MISSING');
    assert.match(client.state.error.textIn('ru'), /npm install asterisk-manager/);
    await client.close();
  });

  it('refuses TLS instead of going on without it', async () => {
    const client = createAsteriskManagerClient({ ...options(), tls: {} });
    client.connect();
    assert.equal(client.state.phase, 'refused');
    assert.equal(client.state.error?.code, 'AMI_DRIVER_NO_TLS');
    assert.equal(server.connections.length, 0);
    await client.close();
  });

  it('sends variables and repeated headers one by one, and leaves the caller’s object alone', async () => {
    const client = createAsteriskManagerClient(options());
    let lines: string[] = [];
    await ready(client);
    server.last.socket.on('data', (chunk) => lines.push(...chunk.toString('utf8').split('\r\n')));
    const action = {
      action: 'Test',
      headers: { Codecs: ['ulaw', 'alaw', 'ulaw'] },
      variables: { A: 'Ivanov, Ivan,ADMIN=1', B: 2 },
    };
    const before = structuredClone(action);
    await client.action(action);
    lines = lines.filter((line) => /^(codecs|variable)/i.test(line)).sort();
    assert.deepEqual(lines, [
      'Codecs: alaw',
      'Codecs: ulaw',
      'Codecs: ulaw',
      'Variable: A="Ivanov, Ivan,ADMIN=1"',
      'Variable: B=2',
    ]);
    assert.deepEqual(action, before);
    await client.close();
  });

  it('undoes what the package does to variables', async () => {
    const client = createAsteriskManagerClient(options());
    await ready(client);
    const heard: AmiMessage[] = [];
    client.subscribe('*', (event) => heard.push(event));
    server.last.send('Event: VarSet', 'Privilege: call,all', 'Variable: CRMX', 'Value: 1', 'Uniqueid: 5.1');
    server.last.send(
      'Event: Newstate',
      'Privilege: call,all',
      'ChanVariable: A=1',
      'ChanVariable: B=',
      'CallerIDNum: 101',
    );
    await until(() => heard.length === 2, 'both events');
    assert.equal(heard[0]!.get('Variable'), 'CRMX');
    assert.deepEqual(heard[1]!.all('ChanVariable'), ['A=1', 'B=']);
    assert.deepEqual(
      { ...heard[1]!.toObject() },
      { Event: 'Newstate', Privilege: 'call,all', ChanVariable: ['A=1', 'B='], CallerIDNum: '101' },
    );
    await client.close();
  });

  it('survives header names that mean something to JavaScript', async () => {
    const client = createAsteriskManagerClient(options());
    await ready(client);
    const heard: AmiMessage[] = [];
    client.subscribe('*', (event) => heard.push(event));
    server.last.send(
      'Event: UserEvent',
      'Privilege: call,all',
      '__proto__: a',
      '__proto__: b',
      'constructor: c',
      'UserEvent: x',
    );
    await until(() => heard.length === 1, 'the event');
    assert.equal(heard[0]!.get('UserEvent'), 'x');
    assert.deepEqual(heard[0]!.all('constructor'), ['c']);
    assert.equal(({} as Record<string, unknown>)[0], undefined);
    await client.close();
  });

  it('writes nothing to the console, also when the connection breaks', async () => {
    const log = mock.method(console, 'log', () => undefined);
    try {
      const client = createAsteriskManagerClient(options());
      await ready(client);
      server.last.reset();
      await until(() => client.state.phase === 'waiting', 'the loss');
      await until(() => client.state.phase === 'ready', 'the new link');
      await client.close();
      assert.equal(log.mock.callCount(), 0);
    } finally {
      log.mock.restore();
    }
  });

  it('reads the raw answer of Command before Asterisk 14', async () => {
    server.on('Command', (action, from) => {
      from.raw(
        `Response: Follows\r\nPrivilege: Command\r\nActionID: ${action.ActionID ?? ''}\r\na: b\nc\n--END COMMAND--\r\n\r\n`,
      );
    });
    const client = createAsteriskManagerClient(options());
    await ready(client);
    const answer = await client.action({ action: 'Command', headers: { Command: 'x' } });
    assert.deepEqual(answer.all('Output'), ['a: b', 'c']);
    await client.close();
  });
});
