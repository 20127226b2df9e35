import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { AmiMessage } from '../../../../lib/ami/types';
import type { AttemptPhase, AttemptResult, Order } from '../../../../lib/dialer/types';
import { amiEvent, amiMessage, recordedMessages } from '../../../support/ami-messages';
import { refusal } from '../support/fake-client';
import { breathe, lineBed, type LineBed } from '../support/line';
import { autocallOrder, clickOrder, plainOrder } from '../support/orders';

interface Expected {
  readonly order: Order;
  readonly phases: readonly AttemptPhase[];
  readonly outcome: AttemptResult['outcome'];
  readonly reached: AttemptResult['reached'];
  readonly cause?: number;
  readonly error?: string;
}

const TO_THE_AGENT = ['dialing', 'ringing', 'agent-answered'] as const;
const TO_THE_CLIENT = [...TO_THE_AGENT, 'client-ringing', 'answered'] as const;

/** What a person would say of each recording. */
const RECORDINGS: Readonly<Record<string, Expected>> = {
  'originate-click2call-success': {
    order: clickOrder(),
    phases: TO_THE_CLIENT,
    outcome: 'answered',
    reached: 'yes',
    cause: 16,
  },
  'originate-sync': { order: clickOrder(), phases: TO_THE_CLIENT, outcome: 'answered', reached: 'yes', cause: 16 },
  'originate-local-channel': {
    order: clickOrder(),
    phases: TO_THE_CLIENT,
    outcome: 'answered',
    reached: 'yes',
    cause: 16,
  },
  'originate-agent-busy': {
    order: clickOrder(),
    phases: ['dialing'],
    outcome: 'failed',
    reached: 'no',
    cause: 17,
    error: 'LINE_AGENT_BUSY',
  },
  'originate-agent-declined': {
    order: clickOrder(),
    phases: ['dialing'],
    outcome: 'failed',
    reached: 'no',
    cause: 21,
    error: 'LINE_AGENT_NO_ANSWER',
  },
  'originate-agent-no-answer': {
    order: clickOrder(),
    phases: ['dialing', 'ringing'],
    outcome: 'failed',
    reached: 'no',
    cause: 19,
    error: 'LINE_AGENT_NO_ANSWER',
  },
  'originate-agent-not-registered': {
    order: clickOrder(),
    phases: ['dialing'],
    outcome: 'failed',
    reached: 'no',
    error: 'LINE_AGENT_UNREACHABLE',
  },
  'originate-client-busy': { order: clickOrder(), phases: TO_THE_AGENT, outcome: 'busy', reached: 'no', cause: 17 },
  'originate-client-no-answer-agent-hangs-up': {
    order: clickOrder(),
    phases: [...TO_THE_AGENT, 'client-ringing'],
    outcome: 'cancelled',
    reached: 'no',
    cause: 16,
  },
  'originate-application': {
    order: plainOrder(),
    phases: ['dialing', 'ringing', 'answered'],
    outcome: 'answered',
    reached: 'yes',
    cause: 16,
  },
};

/** The ChannelId of a recording's first Originate. */
function channelIdOf(name: string): string {
  const text = readFileSync(join(__dirname, '../../../fixtures/ami', `${name}.txt`), 'utf8');
  const id = /^; sent:.*\| ChannelId: ([^ ]+)/m.exec(text)?.[1];
  assert.ok(id, `${name} has no ChannelId`);
  return id;
}

const eventsOf = (name: string): AmiMessage[] => recordedMessages(name).filter(({ kind }) => kind === 'event');

async function dialledBefore(bed: LineBed, order: Order, channelId: string) {
  const dialled = bed.dial(order, channelId);
  await breathe();
  assert.deepEqual(bed.client.actions.slice(-1), ['Originate']);
  return dialled;
}

function essence({ outcome, reached, cause, error, callId }: AttemptResult) {
  return { outcome, reached, cause: cause?.code, error: error?.code, callId };
}

describe('a line: tries as they were recorded', () => {
  for (const [name, expected] of Object.entries(RECORDINGS)) {
    it(name, async () => {
      const bed = lineBed();
      const channelId = channelIdOf(name);
      const dialled = await dialledBefore(bed, expected.order, channelId);
      bed.client.emit(...eventsOf(name));
      const { phases, outcome, reached, cause, error } = expected;
      assert.deepEqual(essence(await dialled.result), {
        outcome,
        reached,
        cause,
        error,
        callId: error === 'LINE_AGENT_UNREACHABLE' ? undefined : channelId,
      });
      assert.deepEqual(dialled.phases, phases);
    });
  }

  it('takes a message that the client cut off for partly heard, when nobody served it', async () => {
    const bed = lineBed();
    const name = 'originate-application';
    const dialled = await dialledBefore(bed, autocallOrder(), channelIdOf(name));
    bed.client.emit(...eventsOf(name));
    assert.equal((await dialled.result).outcome, 'heard-partly');
  });

  it('takes a message that Asterisk ended for wholly heard', async () => {
    const bed = lineBed();
    const name = 'originate-application';
    const dialled = await dialledBefore(bed, autocallOrder(), channelIdOf(name));
    bed.client.emit(...eventsOf(name).filter((event) => event.name !== 'HangupRequest'));
    assert.equal((await dialled.result).outcome, 'answered');
  });

  it('takes a client who was asked by the dialplan alone, and pressed nothing, for one who did not answer', async () => {
    const bed = lineBed();
    const name = 'originate-application';
    const dialled = await dialledBefore(bed, autocallOrder({ prompt: 'press-1' }), channelIdOf(name));
    const causeOfNobody = (hangup: AmiMessage): AmiMessage =>
      amiEvent('Hangup', { ...(hangup.toObject() as Record<string, string>), Cause: '19' });
    const asked = eventsOf(name).filter((event) => event.name !== 'HangupRequest');
    bed.client.emit(...asked.map((event) => (event.name === 'Hangup' ? causeOfNobody(event) : event)));
    const { outcome, reached } = await dialled.result;
    assert.deepEqual([outcome, reached], ['no-answer', 'no']);
  });

  it('tells an Originate that Asterisk refuses at once, with its own words', async () => {
    const bed = lineBed();
    bed.client.answers.set('Originate', () => refusal('Extension does not exist.'));
    const result = await bed.dial(plainOrder()).result;
    assert.deepEqual(essence(result), {
      outcome: 'failed',
      reached: 'no',
      cause: undefined,
      error: 'LINE_REFUSED',
      callId: undefined,
    });
    assert.match(result.error?.message ?? '', /Extension does not exist/);
  });

  it('says the same of each when they come mixed', () => {
    const names = Object.keys(RECORDINGS);
    return fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(names.length - 1), { minLength: 2, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        async (chosen, dice) => {
          const bed = lineBed();
          const runs = await Promise.all(
            chosen.map(async (index, run) => {
              const name = names[index]!;
              const expected = RECORDINGS[name]!;
              const old = channelIdOf(name);
              const dialled = await dialledBefore(bed, expected.order, `${old}.${run}`);
              return { expected, dialled, left: eventsOf(name).map((event) => renamed(event, `${run}`, old)) };
            }),
          );
          const going = [...runs];
          while (going.length > 0) {
            const one = going[dice.next().value! % going.length]!;
            const event = one.left.shift();
            if (event) bed.client.emit(event);
            else going.splice(going.indexOf(one), 1);
          }
          for (const { expected, dialled } of runs) {
            const { outcome, reached, cause, error } = essence(await dialled.result);
            assert.deepEqual(
              { outcome, reached, cause, error, phases: dialled.phases },
              {
                outcome: expected.outcome,
                reached: expected.reached,
                cause: expected.cause,
                error: expected.error,
                phases: expected.phases,
              },
            );
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

/** The same event of another call: its ids and names with `run` behind. */
function renamed(event: AmiMessage, run: string, channelId: string): AmiMessage {
  const other = (value: string): string =>
    value === channelId || /^\d{10}\.\d+$|^[\w-]+\/.*-[0-9a-f]{8}/i.test(value) ? `${value}.${run}` : value;
  const headers = Object.entries(event.toObject()).flatMap(([key, value]) =>
    [value].flat().map((one) => [key, /id$|channel/i.test(key) ? other(one) : one] as const),
  );
  return amiMessage('event', event.name, headers);
}
