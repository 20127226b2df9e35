import { isTimeZone, offsetOf } from '../time-zone';
import type { Agent, QueueMessage } from './queues';
import type { CallPayload } from './types';

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;

type Variables = Readonly<Record<string, string>>;

/** What the twelve parameters are made of. */
interface Line24Call extends Pick<CallPayload, 'callId' | 'client' | 'peer' | 'line' | 'queue'> {
  readonly agent?: Agent;
  readonly callInfo?: string;
}

const ofAgent = (agent: Agent | undefined) => ({
  agent_id: agent?.id ?? '',
  agent_phone: agent?.phone ?? '',
  agent_name: agent?.name ?? '',
  agent_info: agent?.info ?? '',
});

/**
 * The twelve parameters of «Линия24» (document "Integration with CRM", 2.10, section 2.1) for a call at a moment. One that is not
 * known is an empty text, as a URL template wants it.
 */
export function line24Parameters(call: Line24Call, at: string | number) {
  const { callId, client, peer, line, queue, agent, callInfo = '' } = call;
  return {
    callerid: client?.number ?? peer?.extension ?? '',
    directid: line?.number ?? '',
    region_name: client?.region?.name ?? '',
    region_time: regionTime(client?.region?.timeZone, at),
    queue_id: queue?.id ?? '',
    queue_name: queue?.name ?? queue?.id ?? '',
    uniqueid: callId,
    ...ofAgent(agent),
    call_info: callInfo,
  } satisfies Variables;
}

/**
 * The `%variables%` of «Линия24» for one event of a queue or agent: {@link line24Parameters}, and what the document names in words
 * only (3.1: end code, times, id of the transferred call, dialled number) under names in the same style.
 */
export function line24Variables({ topic, payload }: QueueMessage): Variables {
  if ('change' in payload) {
    const { agent, queue, change, reason = '' } = payload;
    return { event: topic, queue_id: queue?.id ?? '', ...ofAgent(agent), change, reason };
  }
  const { hangup, transferredFrom } = payload;
  const text = (value: number | string | undefined): string => (value === undefined ? '' : String(value));
  return {
    ...line24Parameters(payload, payload.at),
    event: topic,
    transfer_uniqueid: transferredFrom?.callId ?? '',
    transfer_queue_id: transferredFrom?.queue.id ?? '',
    dialed_number: payload.dialled ?? '',
    hold_time: text(payload.waitSeconds),
    ring_time: text(payload.ringSeconds),
    talk_time: text(payload.talkSeconds),
    hangup_code: text(hangup?.code),
    reason: payload.reason ?? '',
  };
}

/** `14:05`: what the clocks of a time zone show at a moment; empty when it is none that is known, or no moment. */
function regionTime(timeZone: string | undefined, at: string | number): string {
  const moment = new Date(at).getTime();
  // A flow may have written anything.
  if (timeZone === undefined || Number.isNaN(moment) || !isTimeZone(timeZone)) return '';
  const minutes = Math.floor((moment + offsetOf(timeZone, moment)) / MINUTE_MS);
  const ofDay = ((minutes % MINUTES_A_DAY) + MINUTES_A_DAY) % MINUTES_A_DAY;
  return [Math.floor(ofDay / 60), ofDay % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
