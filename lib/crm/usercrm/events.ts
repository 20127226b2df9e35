import { createHash } from 'node:crypto';
import { causeName } from '../../messages/cause-names';
import type { QueueMessage } from '../../messages/queues';
import type { CallPayload, UserChange } from '../../messages/types';
import { changedStatus, type AgentStatusRow } from '../../messages/usercrm-agent';
import { otherParty, userCrmCdr, USERCRM_DIRECTIONS, userCrmJson } from '../../messages/usercrm-cdr';
import { parseNumber } from '../../phone';
import type { NumberingPlan } from '../../phone/types';
import type { PbxEvent } from '../types';

type AgentChange = Extract<QueueMessage, { topic: 'agent_change' }>;

/** Whatever the protocol may have a message for. */
export type UserCrmEvent = PbxEvent | AgentChange;

/** What an event needs to know beside itself. */
export interface EventPlan {
  /** The CRM user of an extension. */
  userOf(extension: string): string | undefined;
  /** How own numbers are read that are not written internationally. */
  readonly numbers: NumberingPlan;
  readonly internal: boolean;
  /** Send also what concerns an extension without a CRM user, with an empty `crm_user`. */
  readonly unmapped: boolean;
  readonly statuses: readonly AgentStatusRow[];
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

/** The message for an event, `undefined` when the protocol has none for it, or nobody to address it to. Pure. */
export function userCrmMessage(event: UserCrmEvent, plan: EventPlan): UserCrmMessage | undefined {
  if (event.topic === 'user_change') return userChange(event, plan);
  if (event.topic === 'agent_change') return agentChange(event, plan);
  if (event.payload.direction === 'internal' && !plan.internal) return undefined;
  switch (event.topic) {
    case 'call_record':
      return message(
        'cdr_append',
        event.payload,
        userCrmCdr(event.payload, ownNumber(event.payload, plan), plan.recordingLink),
      );
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

export const written = (sent: UserCrmMessage): string => userCrmJson(sent);

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
    direction: USERCRM_DIRECTIONS[direction],
  };
  return message(action, payload, bodyOf(payload, leg));
}

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

function agentChange({ payload }: AgentChange, plan: EventPlan): UserCrmMessage | undefined {
  const { extension } = payload;
  const status = changedStatus(plan.statuses, payload);
  const user = payload.user?.id ?? plan.userOf(extension);
  if (!status || (user === undefined && !plan.unmapped)) return undefined;
  return message('agent_change', payload, { user_uid: extension, crm_user: user ?? '', ...status });
}
