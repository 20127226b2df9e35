import { createHash } from 'node:crypto';
import type { CallPayload, Direction, RecordPayload, UserChange } from '../../messages/types';
import { parseNumber } from '../../phone';
import type { NumberingPlan } from '../../phone/types';
import { markOf } from '../call-record';
import { clientText } from '../numbers';
import type { DeliverableEvent } from '../types';
import { causeName } from './causes';

/** What an event needs to know beside itself. */
export interface EventPlan {
  /** The CRM user of an extension. */
  userOf(extension: string): string | undefined;
  /** How own numbers are read that are not written internationally. */
  readonly numbers: NumberingPlan;
  readonly internal: boolean;
  /** Send also what concerns an extension without a CRM user, with an empty `crm_user`. */
  readonly unmapped: boolean;
  /** Where the recording can be heard. */
  readonly recordingLink?: string;
}

/** A message of the protocol; field names and JSON types are those of its document. */
export interface UserCrmMessage {
  readonly action: string;
  readonly action_id: string;
  readonly obj: 'UserCRM';
  readonly code: 200;
  readonly notifies: readonly never[];
  readonly body: Readonly<Record<string, unknown>>;
}

/** 0 is seen in the document, on a call from an extension to the outside; 1 and 2 are inferred (unconfirmed). */
const DIRECTIONS: Readonly<Record<Direction, number>> = { out: 0, in: 1, internal: 2 };

/** The message for an event, `undefined` when the protocol has none for it, or nobody to address it to. Pure. */
export function userCrmMessage(event: DeliverableEvent, plan: EventPlan): UserCrmMessage | undefined {
  if (event.topic === 'user_change') return userChange(event, plan);
  if (event.payload.direction === 'internal' && !plan.internal) return undefined;
  switch (event.topic) {
    case 'call_record':
      return message('cdr_append', event.payload, cdr(event.payload, plan));
    case 'call_ringing':
    case 'call_answer':
    case 'call_hangup':
      return legMessage(event.topic, event.payload, plan, (payload, leg) => {
        const { call_id, session_id, crm_user, domain_user, other_leg, direction } = leg;
        const common = { call_id, session_id, crm_user, domain_user, other_leg };
        if (event.topic !== 'call_hangup') {
          return { ...common, rt_vars: { gateway_number: ownNumber(payload, plan).replace(/^\+/, '') }, direction };
        }
        const rt_vars = { hangup_cause: causeName(payload.hangup?.code) };
        return { ...common, rt_vars, direction, variable_answersec: String(payload.talkSeconds ?? 0) };
      });
    case 'call_held':
    case 'call_active':
      return legMessage(event.topic, event.payload, plan, (_payload, leg) => {
        const { domain_user: user_uid, crm_user, call_id, session_id, other_leg, direction } = leg;
        return { user_uid, crm_user, call_id, session_id, other_leg, direction };
      });
    case 'call_transfer':
      // The protocol has no word for it; the user who takes the call gets a call_answer.
      return undefined;
  }
}

/**
 * As JSON. `dt` is a float in the document; JavaScript would write whole seconds as an integer, which readers with types tell
 * apart. A quote inside a text is escaped, so that only the field itself is met.
 */
export const written = (sent: UserCrmMessage): string => JSON.stringify(sent).replace(/("dt":-?\d+)(?=[,}])/, '$1.0');

const message = (action: string, { eventId }: { eventId: string }, body: UserCrmMessage['body']): UserCrmMessage => ({
  action,
  action_id: idOf(eventId),
  obj: 'UserCRM',
  code: 200,
  notifies: [],
  body,
});

/** A UUID (version 5 in form) that is the same each time an event is sent. */
function idOf(eventId: string): string {
  const hex = createHash('sha1').update('usercrm\0').update(eventId).digest('hex');
  const variant = ((parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

interface Leg {
  readonly call_id: string;
  readonly session_id: string;
  readonly crm_user: string;
  readonly domain_user: string;
  readonly other_leg: string;
  readonly direction: number;
}

function legMessage(
  action: string,
  payload: CallPayload,
  plan: EventPlan,
  bodyOf: (payload: CallPayload, leg: Leg) => UserCrmMessage['body'],
): UserCrmMessage | undefined {
  const { extension, callId, legId = callId, direction } = payload;
  const user = payload.user?.id ?? (extension === undefined ? undefined : plan.userOf(extension));
  if (extension === undefined || (user === undefined && !plan.unmapped)) return undefined;
  const leg = {
    call_id: legId,
    session_id: callId,
    crm_user: user ?? '',
    domain_user: extension,
    other_leg: otherParty(payload),
    direction: DIRECTIONS[direction],
  };
  return message(action, payload, bodyOf(payload, leg));
}

const otherParty = ({ client, peer }: CallPayload): string => clientText(client) ?? peer?.extension ?? '';

/** `+74951343060`; what is no number of a phone stays as it is. */
function ownNumber({ line }: CallPayload, { numbers }: EventPlan): string {
  const text = line?.number ?? '';
  const parsed = parseNumber(text, numbers);
  return parsed.kind === 'phone' ? parsed.e164 : text;
}

function userChange({ payload }: UserChange, plan: EventPlan): UserCrmMessage | undefined {
  const { extension, state, previous } = payload;
  // The message is about the registration: ringing and talking follow from the calls.
  const isOnline = state !== 'offline';
  if (previous !== undefined && (previous !== 'offline') === isOnline) return undefined;
  const user = payload.user?.id ?? plan.userOf(extension);
  if (user === undefined && !plan.unmapped) return undefined;
  // 1 and 0 are the values of the document; 0 for "not registered" is inferred.
  return message('user_change', payload, {
    user_uid: extension,
    crm_user: user ?? '',
    status: isOnline ? 1 : 0,
    protocol: 0,
  });
}

function cdr(payload: RecordPayload, plan: EventPlan): UserCrmMessage['body'] {
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
  const [src, dst] = parties(payload, ownNumber(payload, plan));
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
    gateway_number: ownNumber(payload, plan),
    // 0 is seen in the document, on an answered call; 1 for all others is inferred.
    dial_status: payload.result === 'answered' ? 0 : 1,
    direction: DIRECTIONS[direction],
    project_id: 0,
    project_name: '',
    bridge_hangup_cause: causeName(payload.hangup?.code),
    hold_accum_seconds: holdSeconds,
    geo_ids: '',
    geo_names: '',
    link: plan.recordingLink ?? '',
  };
}

/** Who called, and who was called: of an incoming call that reached nobody, the number that was dialled. */
function parties(payload: RecordPayload, own: string): readonly [string, string] {
  const { direction, extension = '', firstExtension = extension, lastExtension = extension, peer } = payload;
  if (direction === 'in') return [otherParty(payload), extension === '' ? own : extension];
  if (direction === 'out') return [firstExtension === '' ? own : firstExtension, otherParty(payload)];
  return [firstExtension, lastExtension === firstExtension ? (peer?.extension ?? lastExtension) : lastExtension];
}

/** The same for each telling of a call, another for every call, exact in JavaScript; larger than 32 bits. */
function numberOf({ pbx, callId }: RecordPayload): number {
  return parseInt(markOf(`${pbx}\0${callId}`, 13), 16);
}
