import assert from 'node:assert/strict';
import { Asterisk } from '../../../lib/control/asterisk';
import type { LiveChannel } from '../../../lib/control/channels';
import { Consultations } from '../../../lib/control/consultations';
import type { Holding } from '../../../lib/control/hold';
import { FakeClock } from '../../support/fake-clock';
import { CLIENT, COLLEAGUE, lookingAt, PHONE, RINGING, type Look } from './support/looks';

const TALKING: Look = { [CLIENT]: 'a', [PHONE]: 'b', [COLLEAGUE]: 'b' };

describe('the end of a consultation', () => {
  /** Orders it from an Asterisk that tells one look after the other, and the last one again and again. */
  async function ordered(end: 'complete' | 'cancel', ...looks: readonly Look[]): Promise<readonly string[]> {
    const { client, done } = lookingAt(...looks);
    const clock = new FakeClock();
    const asterisk = new Asterisk(client, clock, () => undefined);
    const consultations = new Consultations(asterisk, undefined as unknown as Holding);
    const leg: LiveChannel = {
      ...{ name: PHONE, id: PHONE, linkedid: '1.1', application: 'AppDial', arguments: '' },
      ...{ isLocal: false, isUp: true, isRinging: false, isAside: false },
    };
    const outcome = consultations[end](leg).then(
      () => done,
      (thrown: unknown) => [...done, (thrown as Error).message],
    );
    await clock.advanceAsync(10_000);
    return outcome;
  }

  it('is carried out when all of them are where they belong', async () => {
    assert.deepEqual(await ordered('complete', TALKING), ['Hangup']);
    assert.deepEqual(await ordered('cancel', TALKING), ['CancelAtxfer']);
  });

  it('waits while Asterisk moves the phone or the colleague from bridge to bridge', async () => {
    const inNone = { ...TALKING, [PHONE]: '' };
    const alone = { ...TALKING, [COLLEAGUE]: '' };
    assert.deepEqual(await ordered('complete', inNone, alone, TALKING), ['Hangup']);
    assert.deepEqual(await ordered('cancel', alone, inNone, TALKING), ['CancelAtxfer']);
  });

  it('sends the client on to a colleague whose phone rings, over the one who had him', async () => {
    const ringing = { [CLIENT]: 'a', [PHONE]: 'b', [RINGING]: 'b' };
    assert.deepEqual(await ordered('complete', ringing), ['CancelAtxfer', 'BlindTransfer 102 from-internal']);
    assert.deepEqual(await ordered('cancel', ringing), ['CancelAtxfer']);
    // He answers in this moment.
    assert.deepEqual(await ordered('complete', ringing, TALKING), ['Hangup']);
  });

  it('leads back only where nothing tells who is being called', async () => {
    const unseen = { ...TALKING, [COLLEAGUE]: '' };
    const [refusal] = await ordered('complete', unseen);
    assert.match(refusal ?? '', /has not answered yet/);
    assert.deepEqual(await ordered('cancel', unseen), ['CancelAtxfer']);
  });

  it('leads back, and joins nobody, while phones of a group ring in turn', async () => {
    const turns = Array.from({ length: 12 }, (_, turn) => ({ ...TALKING, [`PJSIP/${110 + turn}-4`]: 'b' }));
    assert.deepEqual(await ordered('cancel', ...turns), ['CancelAtxfer']);
    assert.match((await ordered('complete', ...turns))[0] ?? '', /has not answered yet/);
  });

  it('is refused when the phone talks with its client, or nobody waits', async () => {
    const [refusal] = await ordered('complete', { [CLIENT]: 'a', [PHONE]: 'a' });
    assert.match(refusal ?? '', /no attended transfer/);
    const [other] = await ordered('cancel', { ...TALKING, [CLIENT]: '' });
    assert.match(other ?? '', /no attended transfer/);
  });
});
