import assert from 'node:assert/strict';
import { createAmiClient } from '../../../lib/ami';
import type { AmiClient } from '../../../lib/ami/types';
import { createCallTracker } from '../../../lib/calls';
import { systemClock } from '../../../lib/clock';
import { silentLog } from '../../../lib/log';
import type { RecordPayload } from '../../../lib/messages/types';
import { createPbxCalls, type OwnedPbxCalls } from '../../../lib/pbx/calls';
import { numberingPlan } from '../../../lib/phone';
import { createSimulator } from '../../../lib/simulator';
import type { Simulator } from '../../../lib/simulator/types';
import { until } from '../../support/wait';

const RING_MS = 60;

describe('calls of the built-in simulator', () => {
  let simulator: Simulator;
  let client: AmiClient;
  let calls: OwnedPbxCalls;
  const records = new Map<string, RecordPayload>();
  const problems: string[] = [];

  before(async () => {
    simulator = createSimulator({ ringMs: RING_MS, talkMs: 600 });
    const address = await simulator.start();
    client = createAmiClient(address);
    client.connect();
    await until(() => client.state.phase === 'ready', 'the link');
    const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
    calls = createPbxCalls(
      { pbx: 'office', plan, mayHear: true },
      {
        client,
        clock: systemClock,
        log: silentLog,
        onProblem: ({ message }) => problems.push(message),
        createTracker: createCallTracker,
      },
    );
    calls.subscribe((message) => {
      if (message.topic === 'call_record') records.set(message.payload.callId, message.payload);
    });
  });
  after(async () => {
    await calls.close();
    await client.close();
    await simulator.stop();
    assert.deepEqual(problems, []);
  });

  async function recordOf(callId: string): Promise<object> {
    await until(() => records.has(callId), `the record of ${callId}`);
    const { direction, result, rung, talked, client, line, queue, hangup, talkSeconds } = records.get(callId)!;
    return {
      direction,
      result,
      rung,
      talked,
      ...(client ? { client: { number: client.number } } : {}),
      ...(line ? { line } : {}),
      ...(queue ? { queue } : {}),
      ...(talkSeconds === undefined ? {} : { talkSeconds }),
      ...(hangup ? { code: hangup.code, by: hangup.by } : {}),
    };
  }
  const from = '79031112233';
  const incoming = (did: string) => ({
    direction: 'in' as const,
    client: { number: from },
    line: { number: did, trunk: 'trunk' },
  });
  const call = async (did: string, patienceMs?: number) => {
    const { callId } = await simulator.call({ from, did, ...(patienceMs === undefined ? {} : { patienceMs }) });
    return recordOf(callId);
  };

  const table = [
    [
      'answered',
      '74951000111',
      undefined,
      { result: 'answered', rung: ['101'], talked: ['101'], talkSeconds: 1, code: 16, by: 'client' },
    ],
    [
      'to a busy phone',
      '74951000112',
      undefined,
      { result: 'missed', rung: ['102'], talked: [], talkSeconds: 0, code: 17, by: 'extension' },
    ],
    [
      'to a phone that nobody answers',
      '74951000113',
      undefined,
      { result: 'missed', rung: ['103'], talked: [], talkSeconds: 0, code: 19, by: 'system' },
    ],
    [
      'given up by the caller',
      '74951000113',
      RING_MS,
      { result: 'missed', rung: ['103'], talked: [], talkSeconds: 0, code: 16, by: 'client' },
    ],
    [
      'through the queue',
      '74951000170',
      undefined,
      {
        result: 'answered',
        rung: ['101'],
        talked: ['101'],
        talkSeconds: 1,
        code: 16,
        by: 'client',
        queue: { id: 'support' },
      },
    ],
    [
      'that nobody serves',
      '74951000001',
      undefined,
      { result: 'missed', rung: [], talked: [], talkSeconds: 0, code: 16, by: 'system' },
    ],
  ] as const;
  for (const [what, did, patienceMs, expected] of table) {
    it(`give the right record of a call ${what}`, async () => {
      assert.deepEqual(await call(did, patienceMs), { ...incoming(did), ...expected });
    });
  }

  for (const [what, number, expected] of [
    ['answered', '79031112233', { result: 'answered', talked: ['101'], talkSeconds: 1, code: 16, by: 'client' }],
    ['to a client who is busy', '79031112217', { result: 'busy', talked: [], talkSeconds: 0, code: 17, by: 'client' }],
  ] as const) {
    it(`give the right record of a click-to-call ${what}`, async () => {
      const ChannelId = `click-${number}`;
      const headers = {
        Channel: 'PJSIP/101',
        Context: 'from-internal',
        Exten: number,
        Priority: 1,
        Async: true,
        ChannelId,
      };
      assert.equal((await client.action({ action: 'Originate', headers })).name, 'Success');
      assert.deepEqual(await recordOf(ChannelId), {
        direction: 'out',
        client: { number },
        line: { trunk: 'trunk' },
        rung: ['101'],
        ...expected,
      });
    });
  }
});
