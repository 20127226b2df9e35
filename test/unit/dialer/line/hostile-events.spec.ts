import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AutocallPlayer } from '../../../../lib/agi/player';
import type { AmiMessage } from '../../../../lib/ami/types';
import { ATTEMPT_EVENTS, AttemptTracker } from '../../../../lib/dialer/line/attempt';
import type { AttemptPhase } from '../../../../lib/dialer/types';
import { amiEvent } from '../../../support/ami-messages';
import { FakeClock } from '../../../support/fake-clock';
import { FakeClient, success } from '../support/fake-client';
import { breathe, lineBed } from '../support/line';
import { autocallOrder, clickOrder, plainOrder } from '../support/orders';

const ID = 'tcrm-abcdefgh-1-1';
const PHASES: readonly AttemptPhase[] = [
  'dialing',
  'ringing',
  'agent-answered',
  'client-ringing',
  'answered',
  'confirmed',
];
const LONG = 'x'.repeat(100_000);

const values = {
  id: fc.constantFrom(ID, ID, ID, 'tcrm-abcdefgh-2-1', '1.1', '1.2', '', '<unknown>', LONG),
  state: fc.constantFrom('0', '5', '6', '6', '', '-1', 'Up', LONG),
  status: fc.constantFrom('ANSWER', 'BUSY', 'NOANSWER', 'CANCEL', 'RINGING', 'CONGESTION', '', LONG),
  cause: fc.constantFrom('0', '3', '16', '17', '19', '127', '99999', '-1', 'x', LONG),
  channel: fc.constantFrom('PJSIP/101-1', 'Local/1@a-1;1', 'PJSIP/trunk-2', '', LONG),
};
/** Any header may be missing, and any may say anything. */
const headers = fc.record(
  {
    Uniqueid: values.id,
    Linkedid: values.id,
    DestUniqueid: values.id,
    DestLinkedid: values.id,
    LocalOneUniqueid: values.id,
    LocalTwoUniqueid: values.id,
    Channel: values.channel,
    ChannelState: values.state,
    DialStatus: values.status,
    Cause: values.cause,
    'Cause-txt': fc.constantFrom('', 'some text', LONG),
    Response: fc.constantFrom('Success', 'Failure', LONG),
    Reason: fc.constantFrom('0', '3', '4', '', LONG),
    BridgeId: fc.constantFrom('', 'b1', LONG),
    Duration: fc.constantFrom('00:00:01', 'x', '99:99:99', LONG),
  },
  { requiredKeys: [] },
);
const events = fc
  .tuple(fc.constantFrom(...ATTEMPT_EVENTS, 'Unknown', '__proto__'), headers)
  .map(([name, given]) => amiEvent(name, Object.fromEntries(Object.entries(given))));
const orders = fc.constantFrom(clickOrder(), autocallOrder(), autocallOrder({ prompt: 'ask' }), plainOrder());

type Step = AmiMessage | 'stop' | 'confirmed' | 'accepted' | 'resume' | 'lost';
const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: events },
    { weight: 1, arbitrary: fc.constantFrom<Step>('stop', 'confirmed', 'accepted', 'resume', 'lost') },
  ),
  { maxLength: 40 },
);

function inOrder(phases: readonly AttemptPhase[]): void {
  const ranks = phases.map((phase) => PHASES.indexOf(phase));
  assert.deepEqual(
    ranks,
    [...new Set(ranks)].sort((one, other) => one - other),
  );
}

describe('broken events of a PBX', () => {
  it('give a try one result at the most, and its phases in order', () => {
    fc.assert(
      fc.property(orders, steps, fc.boolean(), (order, sequence, wasHeard) => {
        const phases: AttemptPhase[] = [];
        const heard = () => (wasHeard ? { heard: 1, of: 2, confirmed: true, machine: false } : undefined);
        const tracker = new AttemptTracker({ channelId: ID, order, heard, onPhase: (phase) => phases.push(phase) });
        const rows: AmiMessage[] = [];
        sequence.forEach((step, at) => {
          const { result, ...before } = { result: tracker.result, count: phases.length };
          if (step === 'stop') tracker.stop();
          else if (step === 'confirmed') tracker.confirmed();
          else if (step === 'accepted') tracker.accepted();
          else if (step === 'resume') tracker.resume(rows, at);
          else if (step === 'lost') tracker.lost(at);
          else {
            rows.push(step);
            tracker.apply(step, at);
          }
          if (!result) return;
          assert.equal(tracker.result, result, 'another result');
          assert.equal(phases.length, before.count, 'a phase after the end');
        });
        inOrder(phases);
        const { result } = tracker;
        if (!result) return;
        assert.ok(JSON.stringify(result).length < 2000);
        if (result.reached === 'yes') assert.ok(result.answeredAt !== undefined);
        if (result.outcome === 'cancelled') assert.equal(result.reached, 'no');
      }),
      { numRuns: 1500 },
    );
  });

  it('end no line, and no try of it twice', async () => {
    await fc.assert(
      fc.asyncProperty(orders, fc.array(events, { maxLength: 30 }), fc.nat(30), async (order, sequence, at) => {
        const bed = lineBed({ orders: { isOver: () => Promise.resolve(true) } });
        bed.client.rows = () => sequence;
        sequence.slice(0, at).forEach((event) => bed.client.emit(event));
        const one = bed.dial(order, ID);
        const other = bed.dial(order, 'tcrm-abcdefgh-2-1');
        await breathe();
        sequence.slice(at).forEach((event) => bed.client.emit(event));
        await breathe();
        const before = one.now;
        bed.client.logIn();
        await breathe();
        sequence.forEach((event) => bed.client.emit(event));
        await breathe();
        if (before) assert.equal(one.now, before);
        inOrder(one.phases);
        inOrder(other.phases);
        await bed.line.close();
        assert.ok(await one.result);
        assert.deepEqual([bed.client.subscriptions, bed.clock.running], [0, 0]);
        assert.ok(!bed.warnings.some((warning) => warning.startsWith('A handler')), bed.warnings.join());
      }),
      { numRuns: 150 },
    );
  });

  it('make a player say no more than there is, and a key once', async () => {
    const done = fc.record(
      {
        Uniqueid: fc.constantFrom(ID, ID, ID, '1.1', LONG, ''),
        Context: fc.constantFrom('telephony-crm-autocall', 'telephony-crm-autocall', 'other', LONG),
        CommandID: fc.oneof(
          fc.constantFrom('', 'tcrm:', 'tcrm:step:1', 'tcrm:step:99999999999', 'tcrm:where', `tcrm:${LONG}`, LONG),
          fc
            .tuple(fc.constantFrom('file', 'ask', 'step'), fc.constantFrom('0', '1', '2', '9', '-1', 'x', ''))
            .map(([what, number]) => `tcrm:${what}:${number}`),
        ),
        Result: fc.constantFrom('200 result=1', '200 result=1 (SUCCESS)', '200 result=-1', '510', '%', '%0a%ff', LONG),
      },
      { requiredKeys: ['Uniqueid', 'Context', 'Result'] },
    );
    const heardOf = fc.tuple(fc.constantFrom('AsyncAGIStart', 'AsyncAGIExec', 'AsyncAGIExec', 'AsyncAGIEnd'), done);
    const answers = fc.constantFrom('', 'a&b', 'ask:1', '1', '-1', '99999999999', 'MACHINE', LONG, '&'.repeat(1000));
    await fc.assert(
      fc.asyncProperty(fc.array(heardOf, { maxLength: 30 }), fc.array(answers), async (sequence, given) => {
        const client = new FakeClient();
        const confirmed: string[] = [];
        let count = 0;
        client.answers.set('Getvar', () => success({ Value: given[count++ % Math.max(given.length, 1)] ?? '' }));
        const clock = new FakeClock();
        const player = new AutocallPlayer({
          client,
          clock,
          isOurs: () => true,
          onConfirmed: (id) => confirmed.push(id),
          onProblem: ({ message }) => assert.ok(message.length < 1000, 'a long text'),
        });
        for (const [name, found] of sequence) {
          client.event(name, Object.fromEntries(Object.entries(found)));
          await breathe();
        }
        assert.equal(new Set(confirmed).size, confirmed.length, 'told twice');
        for (const id of [ID, '1.1', '<unknown>', LONG]) {
          const played = player.take(id);
          if (typeof played === 'object') assert.ok(played.heard <= played.of, `${played.heard} of ${played.of}`);
          assert.notEqual(typeof player.take(id), 'object');
        }
        player.close();
        assert.deepEqual([client.subscriptions, clock.running], [0, 0]);
      }),
      { numRuns: 400 },
    );
  });
});
