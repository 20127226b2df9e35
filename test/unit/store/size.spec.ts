import assert from 'node:assert/strict';
import { MAX_PAYLOAD_BYTES, readMessage } from '../../../lib/messages/parse';
import { entry, record, TempStores } from './support/temp-store';

describe('store: the size of one record', () => {
  let stores: TempStores;
  beforeEach(() => (stores = new TempStores()));
  afterEach(() => stores.clean());

  /** A record of so many bytes, mostly Cyrillic: two bytes a character. */
  const recordOf = (bytes: number) => {
    const sized = (name: string) => record('1', { client: { number: '84951234567', name } });
    const room = bytes - Buffer.byteLength(JSON.stringify(sized('')));
    return sized('я'.repeat(Math.floor(room / 2)) + 'x'.repeat(room % 2));
  };

  it('is refused at the edge, or taken by all: outbox and history', async () => {
    const { outbox, calls } = await stores.ready();
    const largest = recordOf(MAX_PAYLOAD_BYTES);
    const message = readMessage('call_record', largest);
    await outbox.put([entry('1', { body: JSON.stringify(message) })]);
    await calls.put([largest]);
    assert.deepEqual((await calls.find({ limit: 1 })).calls, [largest]);
    const larger = recordOf(MAX_PAYLOAD_BYTES + 1);
    assert.throws(() => readMessage('call_record', larger), { code: 'MESSAGE_BAD', message: /262145 bytes/ });
    await assert.rejects(calls.put([larger]), { code: 'STORE_TOO_LARGE' });
  });
});
