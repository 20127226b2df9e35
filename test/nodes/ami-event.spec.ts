import assert from 'node:assert/strict';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import { FakeAmiServer, refuseLogin } from '../support/fake-ami-server';
import { until } from '../support/wait';
import {
  deploy,
  lastStatus,
  load,
  logLines,
  messages,
  statuses,
  unload,
  waitForMessages,
  waitForStatus,
  type FlowNode,
} from './support/runtime';

const STATUS = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';
const TAB: FlowNode = { id: 'tab', type: 'tab' };

describe('ami-event', () => {
  let pbx: FakeAmiServer;

  beforeEach(async () => {
    pbx = await FakeAmiServer.start();
  });
  afterEach(async () => {
    await unload();
    await pbx.stop();
  });

  const config = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'pbx',
    type: 'ami-config',
    name: 'head office',
    mode: 'asterisk',
    host: pbx.host,
    port: String(pbx.port),
    ...more,
  });
  const event = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'event',
    type: 'ami-event',
    z: 'tab',
    pbx: 'pbx',
    mode: 'raw',
    events: '*',
    filters: [],
    wires: [['sink']],
    ...more,
  });
  const sink: FlowNode = { id: 'sink', type: 'sink', z: 'tab', wires: [] };
  const credentials = (secret = pbx.secret) => ({ credentials: { pbx: { username: pbx.username, secret } } });
  const start = (flow: FlowNode[], secret?: string) => load([amiConfig, amiEvent], flow, credentials(secret));
  const connected = () => waitForStatus('event', { fill: 'green', shape: 'dot', text: `${STATUS}.connected` });

  it('sends the named events that pass every condition, with their headers as Asterisk sends them', async () => {
    const filters = [
      { header: 'context', operator: 'equals', value: 'from-trunk' },
      { header: 'Channel', operator: 'like', value: 'PJSIP/*-0*' },
    ];
    await start([TAB, config(), event({ events: 'newchannel, Hangup', filters }), sink]);
    await connected();
    pbx.broadcast('Event: Newchannel', 'Privilege: call,all', 'Channel: PJSIP/101-0001', 'Context: from-internal');
    pbx.broadcast('Event: Newexten', 'Privilege: call,all', 'Channel: PJSIP/trunk-0001', 'Context: from-trunk');
    pbx.broadcast('Event: Newchannel', 'Privilege: call,all', 'Channel: Local/1@x', 'Context: from-trunk');
    pbx.broadcast(
      'Event: Hangup',
      'Privilege: call,all',
      'Channel: PJSIP/trunk-0001',
      'Context: from-trunk',
      'X: a',
      'X: б',
    );
    await waitForMessages('sink');
    const [first, ...more] = messages('sink');
    assert.equal(more.length, 0);
    assert.equal(first!.topic, 'Hangup');
    assert.equal(first!.pbx, 'head office');
    assert.deepEqual(
      { ...(first!.payload as object) },
      { Event: 'Hangup', Privilege: 'call,all', Channel: 'PJSIP/trunk-0001', Context: 'from-trunk', X: ['a', 'б'] },
    );
  });

  it('keeps one socket and one subscription over ten partial deploys, and leaves nothing when it is deleted', async () => {
    await start([TAB, config(), event({ events: 'Hangup' }), sink]);
    await connected();
    for (let round = 1; round <= 10; round++) {
      await deploy([TAB, config(), event({ name: `round ${round}`, events: 'Hangup' }), sink]);
    }
    await connected();
    assert.equal(pbx.connections.length, 1);
    pbx.broadcast('Event: Hangup', 'Privilege: call,all', 'Round: last');
    await waitForMessages('sink');
    await deploy([TAB, config(), sink]);
    pbx.broadcast('Event: Hangup', 'Privilege: call,all', 'Round: after');
    await deploy([TAB, config(), event({ events: 'Marker' }), sink]);
    await connected();
    pbx.broadcast('Event: Marker', 'Privilege: call,all', 'Round: end');
    await waitForMessages('sink', 2);
    assert.deepEqual(
      messages('sink').map((msg) => msg.topic),
      ['Hangup', 'Marker'],
    );
  });

  it('moves to the other PBX when the config node is changed, and lets go of the first', async () => {
    await start([TAB, config(), event(), sink]);
    await connected();
    const other = await FakeAmiServer.start();
    try {
      await deploy([TAB, config({ port: other.port }), event(), sink]);
      await until(() => other.open === 1 && pbx.open === 0, 'the link to move');
      await connected();
    } finally {
      await unload();
      await other.stop();
    }
  });

  it('shows a wrong password as refused, tells once what to do, and never writes the secret', async () => {
    await start([TAB, config(), event(), sink], 'not the secret');
    await waitForStatus('event', { fill: 'red', shape: 'dot', text: `${STATUS}.login` });
    const told = logLines('pbx').filter((line) => line.level === 'warn' || line.level === 'error');
    assert.equal(told.length, 1);
    assert.match(told[0]!.text, /refused the login of the user crm.*manager\.conf/);
    assert.ok(!JSON.stringify(logLines()).includes('not the secret'));
  });

  it('says that the user is in use elsewhere', async () => {
    pbx.on('Login', (action, from) => refuseLogin(action, from, 'Login Already In Use'));
    await start([TAB, config(), event(), sink]);
    await waitForStatus('event', { fill: 'red', shape: 'dot', text: `${STATUS}.in-use` });
  });

  it('waits for a PBX that is away at the start and connects when it comes, telling of it once', async () => {
    await pbx.stop();
    await start([TAB, config(), event(), sink]);
    await waitForStatus('event', { fill: 'red', shape: 'ring', text: `${STATUS}.unreachable` });
    await until(() => logLines('pbx').length > 0, 'a line in the log');
    // A second try must fail too before the PBX comes back: it is no news.
    await until(() => statuses('event').filter(({ fill }) => fill === 'red').length > 1, 'a second failed try');
    await pbx.listen();
    await connected();
    const told = logLines('pbx').filter(
      (line) => ['warn', 'info'].includes(line.level) && !line.text.includes('states'),
    );
    assert.deepEqual(
      told.map((line) => line.level),
      ['warn', 'info'],
    );
  });

  it('comes back after a reset in the middle of a message, and loses nothing that comes afterwards', async () => {
    await start([TAB, config(), event({ events: 'Hangup' }), sink]);
    await connected();
    pbx.last.raw('Event: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/cut');
    pbx.last.reset();
    await until(() => pbx.connections.length === 2 && pbx.last.loggedIn, 'the second login');
    await connected();
    pbx.broadcast('Event: Hangup', 'Privilege: call,all', 'Channel: PJSIP/whole');
    await waitForMessages('sink');
    assert.deepEqual(
      messages('sink').map((msg) => (msg.payload as { Channel: string }).Channel),
      ['PJSIP/whole'],
    );
  });

  for (const [how, silence] of [
    ['stops answering', () => (pbx.mute = true)],
    ['stops reading', () => pbx.last.freeze()],
  ] as const) {
    it(`closes within two seconds when the PBX ${how}`, async () => {
      await start([TAB, config(), event(), sink]);
      await connected();
      silence();
      const begun = performance.now();
      await unload();
      // Two seconds by promise; the rest is for a machine with other work.
      assert.ok(performance.now() - begun < 4000);
      assert.ok(!logLines().some((line) => /longer than|timed out/i.test(line.text)));
      pbx.last.socket.resume();
      await until(() => pbx.open === 0, 'the socket to be gone');
    });
  }

  it('says so and stays quiet when its config node is disabled, and works again when it is enabled', async () => {
    await start([TAB, config({ d: true }), event(), sink]);
    await waitForStatus('event', { fill: 'grey', shape: 'ring', text: `${STATUS}.missing` });
    assert.match(
      logLines('event').find((line) => line.level === 'warn')!.text,
      /disabled, deleted or was never chosen/,
    );
    assert.equal(pbx.connections.length, 0);
    await deploy([TAB, config(), event(), sink]);
    await connected();
  });

  it('refuses settings that cannot work: red status, one error that names the field, no connection', async () => {
    await start([TAB, config({ port: '50380000' }), event(), sink]);
    await waitForStatus('event', { fill: 'red', shape: 'dot', text: `${STATUS}.settings` });
    const errors = logLines('pbx').filter((line) => line.level === 'error');
    assert.equal(errors.length, 1);
    assert.match(errors[0]!.text, /"head office".*Port: "50380000"/);
    assert.equal(pbx.connections.length, 0);
  });

  it('names the environment variable that is not set', async () => {
    for (const wrong of [{ host: '${TELEPHONY_TEST_NOT_SET}' }, { extensions: '$(TELEPHONY_TEST_NOT_SET)' }]) {
      await start([TAB, config(wrong), event(), sink]);
      await waitForStatus('event', { fill: 'red', shape: 'dot', text: `${STATUS}.settings` });
      assert.match(logLines('pbx').find((line) => line.level === 'error')!.text, /TELEPHONY_TEST_NOT_SET is not set/);
      await unload();
    }
  });

  it('takes address, port and secret from the environment', async () => {
    Object.assign(process.env, { T_HOST: pbx.host, T_PORT: String(pbx.port), T_SECRET: pbx.secret });
    try {
      await start([TAB, config({ host: '${T_HOST}', port: '${T_PORT}' }), event(), sink], '${T_SECRET}');
      await connected();
    } finally {
      for (const name of ['T_HOST', 'T_PORT', 'T_SECRET']) Reflect.deleteProperty(process.env, name);
    }
  });

  it('refuses a filter that cannot work and says which row', async () => {
    const filters = [{ header: 'Channel: x', operator: 'equals', value: 'y' }];
    await start([TAB, config(), event({ filters }), sink]);
    await waitForStatus('event', { fill: 'red', shape: 'dot', text: 'ami-event.status.settings' });
    assert.match(logLines('event').find((line) => line.level === 'error')!.text, /Filter, row 1/);
  });

  it('works without the right to read the states of phones, and says which class is missing', async () => {
    pbx.on('DeviceStateList', (action, from) => from.answer(action, 'Error', 'Message: Permission denied'));
    await start([TAB, config(), event({ events: 'Hangup' }), sink]);
    await connected();
    await until(() => logLines('pbx').some((line) => line.level === 'warn'), 'a warning');
    assert.match(logLines('pbx').find((line) => line.level === 'warn')!.text, /Add "reporting" to write=/);
    pbx.broadcast('Event: Hangup', 'Privilege: call,all', 'Channel: PJSIP/101-1');
    await waitForMessages('sink');
    assert.equal(lastStatus('event')?.fill, 'green');
  });
});
