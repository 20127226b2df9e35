import assert from 'node:assert/strict';
import type { NodeInitializer } from 'node-red';
import type { PbxMessage } from '../../lib/messages/types';
import type { Store } from '../../lib/store/types';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import crmConfig from '../../nodes/crm-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import storeConfig from '../../nodes/store-config';
import { FakeAmiServer } from '../support/fake-ami-server';
import { until } from '../support/wait';
import { deploy, load, logLines, messages, node, unload, waitForStatus, type FlowNode } from './support/runtime';
import { storeNode, UserDir } from './support/store-flow';

const STATUS = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';
const TAB: FlowNode = { id: 'tab', type: 'tab' };

/** A `store-config` without a disk: rows of calls under way, as an earlier process left them. */
class FakeStore {
  readonly rows = new Map<string, { state: string; savedAt: number }>();
  failure: Error | undefined;
  /** What calls were kept under. */
  readonly keys = new Set<string>();

  readonly init: NodeInitializer = (red) => {
    const live: Store['live'] = {
      save: (key, changed, forgotten) => {
        this.keys.add(key);
        if (this.failure) return Promise.reject(this.failure);
        for (const { callId, state } of changed) this.rows.set(callId, { state, savedAt: Date.now() });
        for (const callId of forgotten) this.rows.delete(callId);
        return Promise.resolve([]);
      },
      load: () => Promise.resolve([...this.rows].map(([callId, row]) => ({ callId, ...row }))),
    };
    red.nodes.registerType('store-config', function (this: object, def) {
      red.nodes.createNode(this as never, def);
      Object.assign(this, { store: { live } });
    });
  };
}

describe('ami-event: the life of calls', () => {
  afterEach(unload);

  const event = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'event',
    type: 'ami-event',
    z: 'tab',
    pbx: 'pbx',
    mode: 'calls',
    wires: [['sink']],
    ...more,
  });
  const sink: FlowNode = { id: 'sink', type: 'sink', z: 'tab', wires: [] };
  const pbx = () => (node('pbx') as AmiConfigNode).pbx;
  const came = () => messages('sink') as unknown as readonly PbxMessage[];
  const topics = () => came().map(({ topic }) => topic);
  const record = () => came().find(({ topic }) => topic === 'call_record');

  describe('on the built-in simulator', () => {
    const config = (more: Record<string, unknown> = {}): FlowNode => ({
      id: 'pbx',
      type: 'ami-config',
      name: 'office',
      mode: 'simulator',
      ...more,
    });
    const connected = async () => {
      await waitForStatus('event', { fill: 'green', text: `${STATUS}.simulator` });
      await pbx().presence.settled?.();
    };
    const call = (did: string) => pbx().simulator!.call({ from: '79031112233', did });

    it('tells a call from the first ring to the record, with the CRM user, and shows how many there are', async () => {
      const people = [{ extension: '101', userId: '7', name: 'Анна' }];
      const crm: FlowNode = { id: 'crm', type: 'crm-config', kind: 'demo', settings: {}, people };
      await load([amiConfig, amiEvent, crmConfig], [TAB, config(), crm, event({ crm: 'crm' }), sink]);
      await connected();
      const outcome = call('74951000111');
      await waitForStatus('event', { fill: 'green', text: 'simulator, calls: 1' });
      assert.equal((await outcome).result, 'answered');
      await until(() => record() !== undefined, 'the record');
      assert.deepEqual(
        topics().filter((topic) => topic !== 'user_change'),
        ['call_ringing', 'call_answer', 'call_hangup', 'call_record'],
      );
      const { payload } = record()!;
      assert.ok('direction' in payload);
      const { direction, result, extension, user, client, line } = payload;
      assert.deepEqual(
        { direction, result, extension, user, number: client?.number, line: line?.number },
        {
          direction: 'in',
          result: 'answered',
          extension: '101',
          user: { id: '7', name: 'Анна' },
          number: '79031112233',
          line: '74951000111',
        },
      );
      assert.equal(payload.pbx, 'office');
      assert.ok(!('pbx' in came()[0]!));
      const states = came().flatMap(({ topic, payload }) =>
        topic === 'user_change' && payload.extension === '101' ? [payload.state] : [],
      );
      assert.deepEqual(states, ['ringing', 'busy', 'idle']);
      await connected();
    });

    it('sends only what is chosen', async () => {
      const chosen = { topics: ['call_record'], directions: ['in'], extensions: '102-103', queues: '' };
      await load([amiConfig, amiEvent], [TAB, config(), event(chosen), sink]);
      await connected();
      await Promise.all(['74951000111', '74951000112'].map(call));
      await until(() => record() !== undefined, 'the record');
      await until(() => pbx().calls.stats.channels === 0, 'the end of all calls');
      assert.deepEqual(
        came().map(({ topic, payload }) => [topic, 'rung' in payload && payload.rung]),
        [['call_record', ['102']]],
      );
    });

    it('loses nothing while it is redeployed in the middle of a call, ten times', async () => {
      await load([amiConfig, amiEvent], [TAB, config(), event({ topics: ['call_record'] }), sink]);
      await connected();
      const calls: Promise<unknown>[] = [];
      for (let round = 0; round < 10; round++) {
        calls.push(call('74951000111'));
        await deploy([TAB, config(), event({ name: `round ${round}`, topics: ['call_record'] }), sink]);
      }
      await Promise.all(calls);
      await until(() => came().length >= 10, 'all records');
      assert.equal(new Set(came().map(({ payload }) => payload.eventId)).size, 10);
      assert.equal(came().length, 10);
    });

    it('refuses a pattern of extensions that cannot work', async () => {
      await load([amiConfig, amiEvent], [TAB, config(), event({ extensions: '1AX' }), sink]);
      await waitForStatus('event', { fill: 'red', shape: 'dot', text: 'ami-event.status.settings' });
      assert.match(logLines('event').find(({ level }) => level === 'error')!.text, /1AX/);
    });
  });

  describe('on an Asterisk', () => {
    let server: FakeAmiServer;
    /** What `CoreShowChannels` lists: Uniqueid of each trunk channel that is up. */
    let up: string[];

    beforeEach(async () => {
      up = [];
      server = await FakeAmiServer.start();
      server
        .on('CoreStatus', (action, from) =>
          from.answer(action, 'Success', 'CoreStartupDate: 2026-11-20', 'CoreStartupTime: 10:00:00'),
        )
        .on('CoreShowChannels', (action, from) => {
          const id = `ActionID: ${action.ActionID ?? ''}`;
          from.answer(action, 'Success', 'EventList: start');
          for (const uniqueid of up) from.send('Event: CoreShowChannel', id, ...trunk(uniqueid));
          from.send('Event: CoreShowChannelsComplete', id, 'EventList: Complete', `ListItems: ${up.length}`);
        });
    });
    afterEach(async () => {
      await unload();
      await server.stop();
    });

    const config = (more: Record<string, unknown> = {}): FlowNode => ({
      id: 'pbx',
      type: 'ami-config',
      name: 'office',
      mode: 'asterisk',
      host: server.host,
      port: String(server.port),
      trunks: 'PJSIP/trunk',
      ...more,
    });
    const trunk = (uniqueid: string): string[] => [
      `Channel: PJSIP/trunk-${uniqueid}`,
      'ChannelState: 4',
      'ChannelStateDesc: Ring',
      'CallerIDNum: 79031112233',
      'CallerIDName: <unknown>',
      'Context: from-trunk',
      'Exten: 74951000001',
      'Priority: 1',
      `Uniqueid: ${uniqueid}`,
      `Linkedid: ${uniqueid}`,
    ];
    const incoming = (uniqueid: string): void => {
      up.push(uniqueid);
      server.broadcast('Event: Newchannel', 'Privilege: call,all', ...trunk(uniqueid));
    };
    const gone = (uniqueid: string): void => {
      up = up.filter((one) => one !== uniqueid);
      const end = ['Cause: 16', 'Cause-txt: Normal Clearing'];
      server.broadcast('Event: Hangup', 'Privilege: call,all', ...trunk(uniqueid), ...end);
    };
    const credentials = () => ({ credentials: { pbx: { username: server.username, secret: server.secret } } });
    const start = (flow: FlowNode[], ...more: NodeInitializer[]) =>
      load([amiConfig, amiEvent, ...more], flow, credentials());
    const listed = (times: number) =>
      until(
        () => server.actions.filter(({ Action }) => Action === 'CoreShowChannels').length >= times,
        `list ${times} of channels`,
      );
    const live = (count: number) => until(() => pbx().calls.stats.liveCalls === count, `${count} calls under way`);

    it('tells what nobody heard: a gap, then the calls that ended meanwhile', async () => {
      await start([TAB, config(), event({ topics: ['call_record', 'gap'] }), sink]);
      await listed(1);
      incoming('1795204753.1');
      incoming('1795204753.2');
      await live(2);
      up = ['1795204753.2'];
      server.last.reset();
      await until(() => came().length >= 2, 'the gap and the record');
      gone('1795204753.2');
      await until(() => came().length >= 3, 'the record of the other');
      const [gap, first, second] = came();
      assert.ok(gap?.topic === 'gap' && first?.topic === 'call_record' && second?.topic === 'call_record');
      assert.ok(gap.payload.from <= gap.payload.to);
      assert.equal(gap.payload.restarted, false);
      assert.deepEqual(
        [first, second].map(({ payload }) => [payload.callId, payload.reconciled, payload.result]),
        [
          ['1795204753.1', true, 'missed'],
          ['1795204753.2', undefined, 'missed'],
        ],
      );
    });

    it('keeps one socket and one set of subscriptions over ten partial deploys', async () => {
      await start([TAB, config(), event(), sink]);
      await listed(1);
      for (let round = 1; round <= 10; round++) await deploy([TAB, config(), event({ name: `round ${round}` }), sink]);
      assert.equal(server.connections.length, 1);
      await deploy([TAB, config(), event({ topics: ['call_record'] }), sink]);
      incoming('1795204753.1');
      await live(1);
      gone('1795204753.1');
      await until(() => came().length > 0, 'the record');
      assert.equal(came().length, 1);
      assert.equal(server.actions.filter(({ Action }) => Action === 'CoreShowChannels').length, 1);
      await deploy([TAB, config(), sink]);
      assert.equal(pbx().calls.stats.liveCalls, 0);
    });

    it('reads nothing about calls for a flow that has only raw events', async () => {
      await start([TAB, config(), event({ mode: 'raw', events: 'Hangup', filters: [] }), sink]);
      await until(() => server.connections.length === 1 && pbx().client.state.phase === 'ready', 'the link');
      incoming('1795204753.1');
      gone('1795204753.1');
      await until(() => came().length === 1, 'the raw event');
      assert.equal(topics()[0], 'Hangup');
      assert.ok(!server.actions.some(({ Action }) => Action === 'CoreShowChannels'));
    });

    describe('with a store', () => {
      const store = new FakeStore();
      const flow = () => [
        TAB,
        { id: 'store', type: 'store-config' },
        config({ store: 'store' }),
        event({ topics: ['call_record', 'gap'] }),
        sink,
      ];
      beforeEach(() => {
        store.rows.clear();
        store.failure = undefined;
      });

      it('tells the record of a call that ended while Node-RED was away', async () => {
        await start(flow(), store.init);
        await listed(1);
        incoming('1795204753.1');
        await until(() => store.rows.has('1795204753.1'), 'the call on disk');
        // By its id: another name of the PBX loses no call.
        assert.deepEqual([...store.keys], ['pbx']);
        await unload();
        up = [];
        await start(flow(), store.init);
        await until(() => came().length >= 2, 'the gap and the record');
        assert.deepEqual(topics(), ['gap', 'call_record']);
        const { payload } = record()!;
        assert.ok('direction' in payload);
        const { callId, client, line, result, reconciled } = payload;
        assert.deepEqual(
          { callId, number: client?.number, did: line?.number, result, reconciled },
          { callId: '1795204753.1', number: '79031112233', did: '74951000001', result: 'missed', reconciled: true },
        );
      });

      it('tells the record of a call that had just begun when Node-RED was stopped', async () => {
        const user = new UserDir();
        const stopped = [
          TAB,
          storeNode(),
          config({ store: 'store' }),
          event({ topics: ['call_ringing', 'call_record'] }),
          sink,
        ];
        const begin = () => load([user.init, amiConfig, amiEvent, storeConfig], stopped, credentials());
        try {
          await begin();
          await listed(1);
          incoming('1795204753.1');
          await until(() => pbx().calls.stats.liveCalls === 1, 'the call');
          await unload();
          up = [];
          await begin();
          await until(() => record() !== undefined, 'the record');
        } finally {
          await unload();
          user.remove();
        }
      });

      it('goes on telling when the store fails, and says so once', async () => {
        store.failure = new Error('disk full');
        await start(flow(), store.init);
        await listed(1);
        for (const uniqueid of ['1795204753.1', '1795204753.2']) {
          incoming(uniqueid);
          gone(uniqueid);
        }
        await until(() => came().length >= 2, 'the records');
        await until(() => logLines('pbx').some(({ text }) => text.includes('disk full')), 'the warning');
        assert.equal(logLines('pbx').filter(({ text }) => text.includes('disk full')).length, 1);
      });
    });
  });
});
