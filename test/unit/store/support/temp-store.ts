import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../lib/clock';
import type { TelephonyError } from '../../../../lib/errors';
import type { RecordPayload } from '../../../../lib/messages/types';
import { createStore } from '../../../../lib/store';
import type { StoreOptions } from '../../../../lib/store';
import type { OutboxEntry, Store } from '../../../../lib/store/types';

/** Stores on real files in a folder of their own; to be cleaned after every test. */
export class TempStores {
  readonly folder = mkdtempSync(join(tmpdir(), 'telephony-store-'));
  readonly file = join(this.folder, 'test.sqlite');
  /** What the stores wrote into the log. */
  readonly log: string[] = [];
  private readonly open: Store[] = [];

  create(more: Partial<StoreOptions> = {}): Store {
    const store = createStore({
      file: this.file,
      clock: systemClock,
      log: {
        info: (text) => void this.log.push(text),
        warn: (what) => void this.log.push(typeof what === 'string' ? what : what.code),
        debug: () => undefined,
      },
      retention: { days: 0, maxBytes: 1024 ** 4 },
      ...more,
    });
    this.open.push(store);
    return store;
  }

  /** Opened, and usable. */
  async ready(more: Partial<StoreOptions> = {}): Promise<Store> {
    const store = this.create(more);
    await store.open();
    if (store.state.status !== 'open') throw new Error(`the store is ${JSON.stringify(store.state)}`);
    return store;
  }

  async clean(): Promise<void> {
    await Promise.all(this.open.map((store) => store.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const entry = (eventId: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  queue: 'node1',
  eventId,
  orderKey: 'call1',
  acceptedAt: 1000,
  body: JSON.stringify({ eventId }),
  ...more,
});

/** A record of an answered incoming call of +7 495 123-45-67 to extension 101, unless told otherwise. */
export const record = (callId: string, more: Partial<RecordPayload> = {}): RecordPayload => ({
  eventId: `${callId}-call_record`,
  pbx: 'Office',
  callId,
  direction: 'in',
  client: { number: '84951234567', e164: '+74951234567' },
  extension: '101',
  line: { number: '74950000001', trunk: 'provider' },
  startedAt: '2026-01-10T10:00:00.000Z',
  result: 'answered',
  rung: ['101'],
  talked: ['101'],
  legs: [{ legId: `${callId}.1`, extension: '101' }],
  ...more,
});

export const errorOf = (store: Store): TelephonyError | undefined =>
  store.state.status === 'failed' ? store.state.error : undefined;

export const noteOf = (store: Store): TelephonyError | undefined =>
  store.state.status === 'open' ? store.state.note : undefined;
