import assert from 'node:assert/strict';
import { Blocked } from '../../../lib/store/blocked';
import type { Store } from '../../../lib/store/types';
import type { Access } from '../../../lib/store/access';
import { TempStores } from './support/temp-store';

const A = '+74951234567';
const B = '+79161234567';
const C = '+49301234567';

describe('store: do-not-call list', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  it('has what was added, once, over a restart, until it is removed', async () => {
    const before = await stores.ready();
    assert.equal(await before.blocked.add([A, B, A], 1000, 'asked for it'), 2);
    // The first word stays: since when somebody must not be called is what counts.
    assert.equal(await before.blocked.add([B, C], 2000), 1);
    await before.close();
    const { blocked } = await stores.ready();
    assert.equal(await blocked.count(), 3);
    assert.deepEqual(await blocked.list(10), [
      { number: C, at: 2000 },
      { number: A, at: 1000, reason: 'asked for it' },
      { number: B, at: 1000, reason: 'asked for it' },
    ]);
    assert.deepEqual([...(await blocked.among(['+10000000', B, C]))].sort(), [C, B]);
    assert.equal(await blocked.remove([B, '+10000000']), 1);
    assert.deepEqual([...(await blocked.among([A, B]))], [A]);
    assert.equal(await blocked.count(), 2);
    assert.deepEqual(await blocked.among([]), new Set());
  });

  it('can be read page by page', async () => {
    const { blocked } = await stores.ready();
    const numbers = Array.from({ length: 1200 }, (_, n) => `+7495${String(1_000_000 + n)}`);
    assert.equal(await blocked.add(numbers, 1), 1200);
    const first = await blocked.list(1000);
    const second = await blocked.list(1000, first.at(-1)!.number);
    assert.deepEqual(
      [...first, ...second].map(({ number }) => number),
      numbers,
    );
    assert.equal((await blocked.among(numbers)).size, 1200);
    assert.equal(await blocked.remove(numbers), 1200);
    assert.equal(await blocked.count(), 0);
  });

  it('refuses what no number dialled could ever match', async () => {
    const { blocked } = await stores.ready();
    for (const number of ['', '84951234567', '+7 495 1234567', '+', "+7' OR 1", '+7495\n', '+7495\0']) {
      await assert.rejects(blocked.add([A, number], 1), { code: 'STORE_BAD_VALUE' }, number);
    }
    await assert.rejects(blocked.add([A], 1, 'x'.repeat(600)), { code: 'STORE_TOO_LARGE' });
    assert.equal(await blocked.count(), 0);
  });

  it('is bounded, and full it still takes what it has and gives back what it must', async () => {
    const store: Store = await stores.ready();
    const blocked = new Blocked(store as unknown as Access, 2);
    await blocked.add([A, B], 1);
    await assert.rejects(blocked.add([C], 1), { code: 'STORE_BLOCKED_FULL' });
    assert.equal(await blocked.add([A], 1), 0);
    assert.deepEqual([...(await blocked.among([A, B, C]))].sort(), [A, B]);
    await blocked.remove([A]);
    assert.equal(await blocked.add([C], 1), 1);
  });
});
