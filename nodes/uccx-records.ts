import { setImmediate } from 'node:timers/promises';
import type { Node, NodeInitializer } from 'node-red';
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
/** So many steps at once: calls go on meanwhile. */
const STEPS = 50;

const told = (payload: RecordPayload) => ({ topic: 'call_record', payload });

const init: NodeInitializer = (red) => {
  async function converted(rows: readonly unknown[], settings: UccxSettings): Promise<Converted> {
    const work = convert(rows, settings);
    for (let step = 1; ; step += 1) {
      const { done, value } = work.next();
      if (done === true) return value;
      if (step % STEPS === 0) await setImmediate();
    }
  }

  red.nodes.registerType('uccx-records', function (this: Node, def: UccxRecordsDef) {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    const complaints = new Complaints(this);
    let settings: UccxSettings | undefined;
    let problem = uccxError('UCCX_NO_ROWS') as Error;
    try {
      settings = uccxSettings(def);
    } catch (thrown) {
      problem = asError(thrown);
      this.error(wordsFor(red, this, problem));
      status.setBase({ fill: 'red', shape: 'dot', text: 'uccx-records.status.settings' });
    }

    onInput(red, this, async (msg, send) => {
      if (!settings) throw problem;
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
      const { records, unfinished, bad, firstBad } = await converted(rows, settings);
      for (const [at, payload] of records.entries()) {
        send([told(payload), null]);
        if ((at + 1) % STEPS === 0) await setImmediate();
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
    onClose(red, this, () => status.close());
  });
};

export default init;
