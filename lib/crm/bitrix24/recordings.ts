import type { Recording } from '../../messages/types';
import { recordingLink } from '../call-record';
import { crmError } from '../errors';
import { asObject, oneLine, scalar } from '../json';
import type { DeliveryContext } from '../types';
import type { BitrixApi } from './api';
import type { Choices } from './choices';

const METHOD = 'telephony.externalCall.attachRecord';
const ATTACHED = 'bitrix24.recording';
const UPLOADS = 'bitrix24.uploads';

/** What goes into the request itself; larger files are sent as they are, to an address that is asked for first. */
const MAX_IN_REQUEST = 10 * 1024 * 1024;
const UPLOAD_MS = 120_000;

/** Attaches the recording of a finished call. A second time replaces the first. */
export class BitrixRecordings {
  constructor(private readonly api: BitrixApi) {}

  /**
   * Resolves with the id of the file in Bitrix24, `undefined` when there is nothing to attach. Rejects as `Recordings.read` does, and
   * with `CRM_RECORDING_FORMAT`.
   */
  async attach(
    callId: string,
    recording: Recording | undefined,
    way: Choices['recording'],
    context: DeliveryContext,
  ): Promise<string | undefined> {
    const { file, url } = recording ?? {};
    if (way === 'none' || (file === undefined && url === undefined)) return undefined;
    const attached = await context.memo.get(ATTACHED);
    if (attached !== undefined) return attached;

    const isUpload = way === 'upload' && file !== undefined && context.recordings !== undefined;
    const link = recordingLink(recording, context);
    const name = fileName(file ?? url?.replace(/[?#].*$/s, '') ?? '');
    const told = isUpload
      ? await this.upload(callId, file, name, context)
      : link === undefined
        ? undefined
        : await this.api.call(METHOD, { CALL_ID: callId, RECORD_URL: link, FILENAME: name }, context, {
            timeoutMs: UPLOAD_MS,
          });
    if (told === undefined) return undefined;
    const id = scalar(asObject(told).FILE_ID) ?? '';
    await context.memo.set(ATTACHED, id);
    return id;
  }

  private async upload(callId: string, file: string, name: string, context: DeliveryContext): Promise<unknown> {
    const bytes = (await context.recordings?.read(file))?.bytes ?? new Uint8Array();
    const FILENAME = await this.freshName(name, context);
    if (bytes.length > MAX_IN_REQUEST) {
      const told = await this.api.call(METHOD, { CALL_ID: callId, FILENAME }, context);
      const place = asObject(told);
      const [url, field] = [scalar(place.uploadUrl), scalar(place.fieldName) ?? 'file'];
      // A conversation goes to the portal that the admin entered and nowhere else.
      if (url?.startsWith(`${this.api.portal}/`) && /^\w+$/.test(field)) {
        return this.api.upload(url, { field, name: FILENAME, bytes }, context, UPLOAD_MS);
      }
    }
    const FILE_CONTENT = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
    return this.api.call(METHOD, { CALL_ID: callId, FILENAME, FILE_CONTENT }, context, { timeoutMs: UPLOAD_MS });
  }

  /** A folder of Bitrix24's Drive holds each name once: a try whose answer was lost may have used up the last one. */
  private async freshName(name: string, { memo }: DeliveryContext): Promise<string> {
    const count = Number((await memo.get(UPLOADS)) ?? '0') + 1;
    await memo.set(UPLOADS, String(count));
    return count === 1 ? name : name.replace(/\.(\w+)$/, `-${count}.$1`);
  }
}

/** The last part of a path or address, fit for every file system and header. Throws `CRM_RECORDING_FORMAT`. */
function fileName(place: string): string {
  const last = place.split(/[/\\]/).pop() ?? '';
  const [, stem = '', extension = ''] = /^(.*)\.(wav|mp3)$/is.exec(last) ?? [];
  if (extension === '') throw crmError('CRM_RECORDING_FORMAT', { file: oneLine(last, 100) });
  return `${stem.replace(/[^\w.-]+/g, '_').slice(0, 100) || 'recording'}.${extension.toLowerCase()}`;
}
