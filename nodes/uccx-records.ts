import { setImmediate } from 'node:timers/promises';
import type { Node, NodeInitializer } from 'node-red';
import { systemClock } from '../lib/clock';
import { asError } from '../lib/errors';
import { readMessage } from '../lib/messages/parse';
import type { RecordPayload } from '../lib/messages/types';
import { recordOfClick } from '../lib/uccx/clicks';
import { uccxError } from '../lib/uccx/errors';
import { convert, type Converted, type UccxSettings } from '../lib/uccx/records';
import { Complaints } from './runtime/complaints';
import { wordsFor } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { StatusLine } from './runtime/status';
import { uccxSettings, type UccxRecordsDef } from './runtime/uccx-settings';

/** A day of a large contact centre; more of them would only fill the memory. */
const MAX_ROWS = 50_000;
/** So many records are sent at once, and so long is converted at once: calls go on meanwhile. */
const RECORDS_AT_ONCE = 50;
const AT_ONCE_MS = 5;

const told = (payload: RecordPayload) => ({ topic: 'call_record', payload });

/** `undefined`: it was stopped before the end. */
async function converted(
  rows: readonly unknown[],
  settings: UccxSettings,
  isStopped: () => boolean,
): Promise<Converted | undefined> {
  const work = convert(rows, settings);
  let since = systemClock.monotonic();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (systemClock.monotonic() - since < AT_ONCE_MS) continue;
    await setImmediate();
    if (isStopped()) return undefined;
    since = systemClock.monotonic();
  }
}

const init: NodeInitializer = (red) => {
  red.nodes.registerType('uccx-records', function (this: Node, def: UccxRecordsDef) {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    const complaints = new Complaints(this);
    let isClosed = false;
    /** Or why the dialog cannot be used. */
    let settings: UccxSettings | Error;
    try {
      settings = uccxSettings(def);
    } catch (thrown) {
      settings = asError(thrown);
      this.error(wordsFor(red, this, settings));
      status.setBase({ fill: 'red', shape: 'dot', text: 'uccx-records.status.settings' });
    }

    onInput(red, this, async (msg, send) => {
      if (settings instanceof Error) throw settings;
      const { topic } = msg as { readonly topic?: unknown };
      if (topic === 'order_outcome') {
        const { payload } = readMessage(topic, msg.payload);
        const record = 'outcome' in payload ? recordOfClick(payload, settings) : undefined;
        if (record) send([told(record), null]);
        return;
      }
      const rows: unknown = msg.payload;
      if (!Array.isArray(rows)) throw uccxError('UCCX_NO_ROWS');
      if (rows.length > MAX_ROWS) throw uccxError('UCCX_TOO_MANY_ROWS', { rows: rows.length, limit: MAX_ROWS });
      // A node that was closed sends nothing more; without the message itself the flow takes these rows for not read.
      const all = await converted(rows, settings, () => isClosed);
      if (!all) return;
      const { records, unfinished, bad, firstBad } = all;
      for (const [at, payload] of records.entries()) {
        send([told(payload), null]);
        if ((at + 1) % RECORDS_AT_ONCE === 0) await setImmediate();
        if (isClosed) return;
      }
      if (firstBad) {
        const { en: problemEn, ru: problemRu } = firstBad.problem;
        const what = { count: bad, rows: rows.length, row: firstBad.row, problemEn, problemRu };
        complaints.warn('UCCX_ROWS_LEFT_OUT', wordsFor(red, this, uccxError('UCCX_ROWS_LEFT_OUT', what)));
      }
      const fill = bad > 0 ? 'yellow' : 'green';
      const text = red._('uccx-records.status.read', { count: records.length, bad });
      status.show({ fill, shape: 'dot', text });
      send([null, Object.assign(msg, { payload: { rows: rows.length, records: records.length, unfinished, bad } })]);
    });
    onClose(red, this, () => {
      isClosed = true;
      status.close();
    });
  });
};

export default init;
