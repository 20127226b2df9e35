import assert from 'node:assert/strict';
import { CALL_BOUNDS } from '../../../lib/calls/state';
import { FakeClock } from '../../support/fake-clock';
import { TempStores } from './support/temp-store';

describe('store: memos and live calls', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  it('keeps a memo for its time, over a restart', async () => {
    const clock = new FakeClock();
    const before = await stores.ready({ clock });
    await before.memos.set('bitrix', 'call1', 'first', 1000);
    await before.memos.set('bitrix', 'call1', 'second', 1000);
    await before.close();
    const { memos } = await stores.ready({ clock });
    assert.equal(await memos.get('bitrix', 'call1'), 'second');
    assert.equal(await memos.get('amo', 'call1'), undefined);
    clock.advance(1000);
    assert.equal(await memos.get('bitrix', 'call1'), undefined);
    await assert.rejects(memos.set('a', 'b', 'x'.repeat(9000), 1), { code: 'STORE_TOO_LARGE' });
  });

  it('keeps the calls under way of each PBX', async () => {
    const clock = new FakeClock();
    const before = await stores.ready({ clock });
    await before.live.save(
      'A',
      [
        { callId: '1', state: 'ringing' },
        { callId: '2', state: 'x' },
      ],
      [],
    );
    await before.live.save('B', [{ callId: '1', state: 'other' }], []);
    await before.live.save('A', [{ callId: '1', state: 'talking' }], ['2', 'unknown']);
    await before.close();
    const { live } = await stores.ready({ clock });
    assert.deepEqual(await live.load('A'), [{ callId: '1', state: 'talking', savedAt: clock.now() }]);
    assert.deepEqual(await live.load('C'), []);
  });

  it('keeps a call of as many channels as one may have, and leaves out what is larger alone', async () => {
    const { live } = await stores.ready();
    const channel = (id: string) => ({
      name: 'я'.repeat(256),
      party: '1'.repeat(256),
      dialString: '2'.repeat(256),
      id,
    });
    const channels = Array.from({ length: CALL_BOUNDS.channels }, (_, n) => channel(`1700000000.${n}`));
    const state = JSON.stringify({ channels: channels.map((one) => ({ ...one, exten: '3'.repeat(256) })) });
    const unkept = await live.save(
      'A',
      [
        { callId: 'large', state },
        { callId: 'huge', state: 'x'.repeat(5_000_000) },
        { callId: 'a\0b', state: 'x' },
        { callId: 'small', state: 'x' },
      ],
      [],
    );
    assert.deepEqual(
      unkept.map(({ callId, error }) => [callId, error.code]),
      [
        ['huge', 'STORE_TOO_LARGE'],
        ['a\0b', 'STORE_BAD_VALUE'],
      ],
    );
    assert.deepEqual((await live.load('A')).map(({ callId }) => callId).sort(), ['large', 'small']);
  });
});
