import type { Listed } from './crm';
import { listOf, Refusal, text, type Params } from './wire';

const PAGE = 50;

interface OfflineEvent {
  readonly ID: string;
  readonly TIMESTAMP_X: string;
  readonly EVENT_NAME: string;
  readonly EVENT_DATA: unknown;
  readonly EVENT_ADDITIONAL: false;
  readonly MESSAGE_ID: string;
  PROCESS_ID: string;
}

/** The queue of events for an application that has no address. An event that is fetched without clearing it belongs to that fetch. */
export class OfflineEvents {
  readonly bound: string[] = [];
  readonly queue: OfflineEvent[] = [];
  /** A repeated binding is refused; the documentation says nothing of it. */
  refusesTwice = false;
  private issued = 0;
  private processes = 0;

  constructor(private readonly now: () => number) {}

  /** Something happened in the portal, so many milliseconds ago; nothing is kept that nobody has bound. */
  happens(event: string, data: unknown, agoMs = 0): string {
    if (!this.bound.includes(event)) return '';
    this.issued += 1;
    const ID = String(this.issued);
    const TIMESTAMP_X = new Date(this.now() - agoMs + 3 * 3_600_000).toISOString().replace('Z', '+03:00');
    const row = { ID, TIMESTAMP_X, EVENT_NAME: event, EVENT_DATA: data, MESSAGE_ID: `m${ID}`, PROCESS_ID: '' };
    this.queue.push({ ...row, EVENT_ADDITIONAL: false });
    return ID;
  }

  bind(params: Params): true {
    const event = text(params.event).toUpperCase();
    if (!event.startsWith('ON')) throw new Refusal(400, 'ERROR_EVENT_NOT_FOUND', 'Event not found');
    if (text(params.event_type) !== 'offline') throw new Refusal(400, 'ERROR_ARGUMENT', 'handler is not defined');
    if (this.bound.includes(event) && this.refusesTwice) {
      throw new Refusal(400, 'ERROR_CORE', 'Unable to set event handler: Handler already binded');
    }
    if (!this.bound.includes(event)) this.bound.push(event);
    return true;
  }

  get(params: Params): unknown {
    const asked = text(params.process_id);
    const rows = this.queue
      .filter((row) => row.PROCESS_ID === asked)
      .slice(0, Number(text(params.limit) || String(PAGE)));
    const found = rows.map((row) => ({ ...row, PROCESS_ID: undefined }));
    if (text(params.clear) !== '0') {
      for (const row of rows) this.queue.splice(this.queue.indexOf(row), 1);
      return { process_id: null, events: found };
    }
    this.processes += 1;
    const mark = asked || `process${this.processes}`;
    for (const row of rows) row.PROCESS_ID = mark;
    return { process_id: mark, events: found };
  }

  list(params: Params): Listed {
    const start = Number(text(params.start) || '0');
    const result = this.queue.slice(start, start + PAGE).map((row) => ({ ...row, ERROR: '0' }));
    return { result, total: this.queue.length };
  }

  clear(params: Params): true {
    const mark = text(params.process_id);
    if (mark === '') throw new Refusal(400, 'ERROR_ARGUMENT', 'process_id is not defined');
    const ids = listOf(params.id).map(text);
    const gone = this.queue.filter((row) => row.PROCESS_ID === mark && (ids.length === 0 || ids.includes(row.ID)));
    for (const row of gone) this.queue.splice(this.queue.indexOf(row), 1);
    return true;
  }
}
