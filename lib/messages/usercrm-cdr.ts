import { createHash } from 'node:crypto';
import { causeName } from './cause-names';
import type { CallPayload, Direction, RecordPayload } from './types';

/** 0 is seen in the document, on a call from an extension to the outside; 1 and 2 are inferred (unconfirmed). */
export const USERCRM_DIRECTIONS: Readonly<Record<Direction, number>> = { out: 0, in: 1, internal: 2 };

/** Who is not an extension of ours, or the colleague. */
export const otherParty = ({ client, peer }: CallPayload): string =>
  client?.e164 ?? client?.number ?? peer?.extension ?? '';

/**
 * A call as UserCRM tells it, both in `cdr_append` and in the answer to `get_cdr`; field names and JSON types are those of its document.
 * `own`: the number that the call came in on or went out by.
 */
export function userCrmCdr(payload: RecordPayload, own: string, link = ''): Readonly<Record<string, unknown>> {
  const {
    direction,
    startedAt,
    endedAt = startedAt,
    talkSeconds = 0,
    holdSeconds = 0,
    queue,
    waitSeconds = 0,
  } = payload;
  const asterisk = payload.cdrs?.at(-1);
  const [src, dst] = parties(payload, own);
  const start = Date.parse(startedAt) / 1000;
  return {
    id: numberOf(payload),
    uniqueid: payload.callId,
    dt: start,
    src,
    dst,
    duration: Math.max(Math.round(Date.parse(endedAt) / 1000 - start), 0),
    billsec: talkSeconds,
    cc_queue_waiting_time: queue === undefined ? 0 : waitSeconds,
    lastapp: asterisk?.LastApplication ?? '',
    lastdata: asterisk?.LastData ?? '',
    rec_path: payload.recording?.file?.replace(/[^/]*$/, '') ?? '',
    gateway: payload.line?.trunk ?? '',
    gateway_number: own,
    // 0 is seen in the document, on an answered call; 1 for all others is inferred.
    dial_status: payload.result === 'answered' ? 0 : 1,
    direction: USERCRM_DIRECTIONS[direction],
    project_id: 0,
    project_name: '',
    bridge_hangup_cause: causeName(payload.hangup?.code),
    hold_accum_seconds: holdSeconds,
    geo_ids: '',
    geo_names: '',
    link,
  };
}

/**
 * As JSON. `dt` is a float in the document; JavaScript would write whole seconds as an integer, which readers with types tell
 * apart. A quote inside a text is escaped, so that only the field itself is met.
 */
export const userCrmJson = (sent: object): string => JSON.stringify(sent).replace(/("dt":-?\d+)(?=[,}])/g, '$1.0');

/** Who called, and who was called: of an incoming call that reached nobody, the number that was dialled. */
function parties(payload: RecordPayload, own: string): readonly [string, string] {
  const { direction, extension = '', firstExtension = extension, lastExtension = extension, peer } = payload;
  if (direction === 'in') return [otherParty(payload), extension === '' ? own : extension];
  if (direction === 'out') return [firstExtension === '' ? own : firstExtension, otherParty(payload)];
  return [firstExtension, lastExtension === firstExtension ? (peer?.extension ?? lastExtension) : lastExtension];
}

/** The same for each telling of a call, another for every call, exact in JavaScript; larger than 32 bits. */
function numberOf({ pbx, callId }: RecordPayload): number {
  return parseInt(createHash('sha256').update(`${pbx}\0${callId}`).digest('hex').slice(0, 13), 16);
}
