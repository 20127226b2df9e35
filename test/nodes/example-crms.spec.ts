import assert from 'node:assert/strict';
import type { RecordPayload } from '../../lib/messages/types';
import amiConfig from '../../nodes/ami-config';
import amiEvent from '../../nodes/ami-event';
import callHistory from '../../nodes/call-history';
import crmConfig from '../../nodes/crm-config';
import crmWebhookOut from '../../nodes/crm-webhook-out';
import simulatedCall from '../../nodes/simulated-call';
import storeConfig from '../../nodes/store-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { CLIENT, exampleCrms, type ExampleCrm, type KeptCall } from './support/example-crms';
import { exampleNamesForCrms, only, readExample, runnable } from './support/example-flows';
import { load, messages, node, receive, unload } from './support/runtime';
import type { FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

const types = [amiConfig, amiEvent, callHistory, crmConfig, crmWebhookOut, simulatedCall, storeConfig];
const [ANSWERED, BUSY, QUEUE] = ['74951000111', '74951000112', '74951000170'] as const;

/** All nodes stand here: a `complete` node hears those of its own tab. */
const TAB: FlowNode = { id: 'all', type: 'tab', label: 'all' };

/** An example of CDR export with the CRM that it is made for. */
class Example {
  private constructor(
    private readonly flow: readonly FlowNode[],
    readonly crm: ExampleCrm,
  ) {}

  static async of(name: string): Promise<Example> {
    const flow = readExample(name);
    const kind = String(only(flow, 'crm-config').kind);
    const make = exampleCrms[kind];
    assert.ok(make, `${name}: test/nodes/support/example-crms.ts has no CRM of the kind ${kind}`);
    return new Example(flow, await make());
  }

  /**
   * What an admin fills in. The examples run side by side here, so that PBX and store are named after them; and a node more is
   * told of the records.
   */
  filledIn(): FlowNode[] {
    const { settings, users, choices } = this.crm;
    const people = Object.entries(users).map(([extension, userId]) => ({ extension, userId, name: '' }));
    const { id } = this;
    const changes: Readonly<Record<string, (now: FlowNode) => object>> = {
      'ami-config': () => ({ name: id }),
      'store-config': () => ({ file: `${id}.sqlite` }),
      'crm-config': (now) => ({ settings: { ...(now.settings as object), ...settings }, people }),
      'crm-webhook-out': (now) => ({ settings: { ...(now.settings as object), ...choices } }),
      'ami-event': () => ({ wires: [[id, `${id}-told`]] }),
    };
    return [
      ...runnable(this.flow)
        .filter(({ type }) => type !== 'tab')
        .map((one) => ({ ...one, ...(one.z === undefined ? {} : { z: TAB.id }), ...changes[one.type]?.(one) })),
      { id: `${id}-told`, type: 'sink', wires: [], z: TAB.id },
    ];
  }

  /** Of its `crm-webhook-out`, after which all is named. */
  get id(): string {
    return only(this.flow, 'crm-webhook-out').id;
  }

  get credentials() {
    return { [only(this.flow, 'crm-config').id]: this.crm.secrets };
  }

  get isReady(): boolean {
    const { pbx } = node(only(this.flow, 'ami-config').id) as AmiConfigNode;
    return pbx.client.state.phase === 'ready';
  }

  call(did: string): void {
    receive(only(this.flow, 'simulated-call').id, { payload: { from: '84951343060', did } });
  }

  /** Records of calls: those that the PBX told of, those that the outbox has on disk, those that the CRM took. */
  records(which: 'told' | 'accepted' | 'delivered'): RecordPayload[] {
    const [[delivered = ''] = []] = only(this.flow, 'crm-webhook-out').wires as string[][];
    const sink = { told: `${this.id}-told`, accepted: 'accepted', delivered }[which];
    return messages(sink).flatMap(({ topic, payload }) => {
      const record = payload as RecordPayload;
      return topic === 'call_record' && record.pbx === this.id ? [record] : [];
    });
  }

  /** What the CRM has to have of a record. */
  keptOf({ talked, rung, startedAt, result, talkSeconds = 0 }: RecordPayload): KeptCall {
    return {
      direction: 'in',
      number: CLIENT,
      manager: this.crm.users[talked[0] ?? rung[0] ?? ''],
      isAnswered: result === 'answered',
      talkSeconds,
      startedAt: startedAt.slice(0, 19),
    };
  }
}

const sorted = (calls: readonly KeptCall[]): string[] => calls.map((one) => JSON.stringify(one)).sort();

describe('the examples made for a CRM, filled in', function () {
  this.timeout(60_000);
  let user: UserDir;
  let examples: ReadonlyMap<string, Example>;

  const begin = async (): Promise<void> => {
    const all = [...examples.values()];
    const credentials = Object.assign({}, ...all.map((one) => one.credentials)) as Example['credentials'];
    const flow = [
      ...all.flatMap((one) => one.filledIn()),
      { id: 'complete', type: 'complete', z: TAB.id, scope: all.map(({ id }) => id), wires: [['accepted']] },
      { id: 'accepted', type: 'sink', z: TAB.id, wires: [] },
      TAB,
    ];
    await load([user.init, ...types], flow, { credentials });
    await until(() => all.every(({ isReady }) => isReady), 'the simulators');
  };
  const example = (name: string): Example => {
    const found = examples.get(name);
    assert.ok(found);
    return found;
  };
  const prepare = async (): Promise<void> => {
    user = new UserDir();
    const made = exampleNamesForCrms.map(async (name) => [name, await Example.of(name)] as const);
    examples = new Map(await Promise.all(made));
  };
  const end = async (): Promise<void> => {
    await unload();
    await Promise.all([...examples.values()].map(({ crm }) => crm.server.stop()));
    user.remove();
  };

  describe('with a CRM that works', () => {
    after(end);
    before(async () => {
      await prepare();
      await begin();
      for (const one of examples.values()) for (const did of [ANSWERED, BUSY, QUEUE]) one.call(did);
    });

    for (const name of exampleNamesForCrms) {
      it(`${name}: writes each call once, with its client, manager, result and times`, async () => {
        const one = example(name);
        await until(() => one.records('delivered').length === 3, 'three records', 20_000);
        const records = one.records('told');
        assert.deepEqual(
          records.map(({ line, result, queue, rung }) => [line?.number, result, queue?.id, rung[0]]).sort(),
          [
            [ANSWERED, 'answered', undefined, '101'],
            [BUSY, 'missed', undefined, '102'],
            [QUEUE, 'answered', 'support', records.find(({ queue }) => queue)?.talked[0]],
          ],
        );
        assert.deepEqual(sorted(one.crm.calls()), sorted(records.map((record) => one.keptOf(record))));
        assert.ok(one.crm.calls().every((call) => call.manager && call.isAnswered === call.talkSeconds > 0));
      });
    }
  });

  describe('with a CRM that is away while Node-RED stops', () => {
    /** What each PBX told before the stop. */
    const told = new Map<string, readonly RecordPayload[]>();
    after(end);
    before(async () => {
      await prepare();
      for (const { crm } of examples.values()) {
        crm.server.fail({ status: 503 }, { times: 2 });
        crm.server.fail('reset', { times: Infinity });
      }
      await begin();
      for (const one of examples.values()) one.call(ANSWERED);
      for (const [name, one] of examples) {
        await until(() => one.records('accepted').length === 1, `${name}: the record on disk`, 20_000);
        await until(() => one.crm.server.requests.length > 0, `${name}: a try`);
        told.set(name, one.records('told'));
      }
      await unload();
      for (const { crm } of examples.values()) {
        assert.deepEqual(crm.calls(), []);
        crm.server.heal();
      }
      await begin();
      for (const [name, one] of examples) {
        await until(() => one.records('delivered').length === 1, `${name}: the delivery`, 20_000);
        // A call whose record was told right before the stop is told again: the next one comes after all that.
        one.call(BUSY);
      }
    });

    for (const name of exampleNamesForCrms) {
      it(`${name}: writes the call once when both are back`, async () => {
        const one = example(name);
        const [before] = told.get(name) ?? [];
        await until(() => one.records('delivered').length === 2, 'the next call', 20_000);
        const next = one.records('told').find(({ line }) => line?.number === BUSY);
        assert.ok(before && next);
        assert.deepEqual(
          one.crm.calls(),
          [before, next].map((record) => one.keptOf(record)),
        );
      });
    }
  });
});
