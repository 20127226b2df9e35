import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { TelephonyError } from '../errors';
import type { Lang, Text } from '../errors';
import type { QueueMessage } from '../messages/queues';
import type { PbxMessage } from '../messages/types';
import { regionOf } from '../phone/region';
import type { PhoneRegion } from '../phone/region';
import { readRegionTable } from '../phone/region-table';
import type { RegionTable } from '../phone/region-table';
import { pbxError } from './errors';

/** Numbers whose region is remembered; beyond it all are forgotten. */
const MAX_REMEMBERED = 5000;

/** Tells where numbers are from; a number is looked up once for all the messages of its calls. */
export type RegionOf = (e164: string) => PhoneRegion | undefined;

/** The regions of numbers in one language: by area codes, and, once {@link load} has read it, by the table of an admin. */
export class Regions {
  private table: RegionTable | undefined;
  private readonly remembered = new Map<string, PhoneRegion | undefined>();

  constructor(private readonly language: Lang) {}

  /** The same object as before for the same number: it must not be changed. */
  of(e164: string): PhoneRegion | undefined {
    if (this.remembered.has(e164)) return this.remembered.get(e164);
    const region = regionOf(e164, this.language, this.table);
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(e164, region);
    return region;
  }

  /**
   * Reads the table in this file (see {@link readRegionTable}); calls go on meanwhile. Rejects with `PBX_REGIONS_UNUSABLE`; regions are
   * then told as before. `signal` ends it early, and then nothing is told.
   */
  async load(file: string, signal: AbortSignal): Promise<Pick<RegionTable, 'size' | 'skipped'> | undefined> {
    try {
      // A pipe or a device may have no end.
      if (!(await stat(file)).isFile()) throw Object.assign(new Error('no file'), { code: 'EISDIR' });
      const table = await readRegionTable(createReadStream(file, { signal }) as AsyncIterable<Buffer>, () =>
        setImmediate(),
      );
      if (signal.aborted) return undefined;
      this.table = table;
      this.remembered.clear();
      return table;
    } catch (thrown) {
      if (signal.aborted) return undefined;
      const reason = reasonOf(thrown);
      throw pbxError('PBX_REGIONS_UNUSABLE', { file, reasonEn: reason.en, reasonRu: reason.ru }, thrown);
    }
  }
}

function reasonOf(thrown: unknown): Text {
  if (thrown instanceof TelephonyError) return { en: thrown.textIn('en'), ru: thrown.textIn('ru') };
  const { code = '' } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT') return { en: 'There is no such file.', ru: 'Такого файла нет.' };
  if (code === 'EISDIR') return { en: 'It is no file.', ru: 'Это не файл.' };
  return { en: `It cannot be read (${code}).`, ru: `Он не читается (${code}).` };
}

/** The message with `client.region`, where that is wanted and the number tells one. */
export function withRegion<Message extends PbxMessage | QueueMessage>(
  message: Message,
  regionOfNumber: RegionOf | undefined,
): Message {
  const { payload } = message;
  const client = 'client' in payload ? payload.client : undefined;
  const region = client?.e164 === undefined ? undefined : regionOfNumber?.(client.e164);
  return region ? { ...message, payload: { ...payload, client: { ...client, region } } } : message;
}
