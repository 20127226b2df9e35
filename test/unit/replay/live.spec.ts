import assert from 'node:assert/strict';
import type { RecordPayload } from '../../../lib/messages/types';
import { createPbx, type Pbx } from '../../../lib/pbx/pbx';
import { numberingPlan } from '../../../lib/phone';
import { assertSameButMasked, byCall, LiveTraces } from '../../support/traces';
import { until } from '../../support/wait';

describe('a trace of a link, replayed', function () {
  this.timeout(60_000);
  let pbx: Pbx;
  let traces: LiveTraces;
  const told: RecordPayload[] = [];
  const plan = { name: 'office', variables: ['CRM_ID'] } as const;

  before(async () => {
    pbx = createPbx({
      name: 'office',
      plan: numberingPlan({ country: 'RU' }),
      calls: { variables: plan.variables },
      connection: { kind: 'simulator' },
    });
    pbx.calls.subscribe((message) => {
      if (message.topic === 'call_record') told.push(message.payload);
    });
    pbx.open();
    await until(() => pbx.client.state.phase === 'ready', 'the simulator');
    const { simulator } = pbx;
    assert.ok(simulator);
    traces = new LiveTraces(pbx.client);
    const come = ['74951000111', '74951000112', '74951000113', '74951000170'];
    const calls = come.map((did) => simulator.call({ from: '84951343060', did, name: 'Пётр' }));
    calls.push(simulator.call({ from: '79031112233', did: '74951000113', patienceMs: 300 }));
    const orders = [
      { Channel: 'PJSIP/105', Exten: '89261234567' },
      { Channel: 'PJSIP/105', Exten: '101' },
      { Channel: 'PJSIP/106', Exten: '89261234517' },
    ];
    for (const order of orders) {
      const headers = { ...order, Context: 'from-internal', Priority: '1', Async: 'true', Variable: 'CRM_ID=42' };
      assert.equal((await pbx.client.action({ action: 'Originate', headers })).name, 'Success');
    }
    await Promise.all(calls);
    await until(() => told.length === calls.length + orders.length, 'all records', 30_000);
    await traces.end();
  });
  after(async () => {
    await pbx.close();
    traces.remove();
  });

  it('gives the records that the link told', () => {
    assert.deepEqual(new Set(told.map(({ direction }) => direction)), new Set(['in', 'out', 'internal']));
    assert.deepEqual(traces.replayed(plan, false), byCall(told));
  });

  it('gives the same with other numbers when they are masked', () => {
    assert.ok(assertSameButMasked(byCall(told), traces.replayed(plan, true)) >= 7);
  });
});
