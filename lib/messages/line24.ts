import { isTimeZone, offsetOf } from '../time-zone';
import type { QueueMessage } from './queues';

const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;

type Variables = Readonly<Record<string, string>>;

/**
 * The `%variables%` of «Линия24» (document "Integration with CRM", 2.10) for one event of a queue or agent. The first twelve have
 * the names of the document (2.1); what it names in words only (3.1: end code, times, id of the transferred call, dialled number)
 * follows under names in the same style. A variable that is not known is an empty text, as a URL template wants it.
 */
export function line24Variables({ topic, payload }: QueueMessage): Variables {
  const { agent, queue } = payload;
  const ofAgent = {
    agent_id: agent?.id ?? '',
    agent_phone: agent?.phone ?? '',
    agent_name: agent?.name ?? '',
    agent_info: agent?.info ?? '',
  };
  if ('change' in payload) {
    const { change, reason = '' } = payload;
    return { event: topic, queue_id: queue?.id ?? '', ...ofAgent, change, reason };
  }
  const { client, peer, line, hangup } = payload;
  const text = (value: number | string | undefined): string => (value === undefined ? '' : String(value));
  return {
    callerid: client?.number ?? peer?.extension ?? '',
    directid: line?.number ?? '',
    region_name: client?.region?.name ?? '',
    region_time: regionTime(client?.region?.timeZone, payload.at),
    queue_id: queue?.id ?? '',
    queue_name: payload.queue?.name ?? queue?.id ?? '',
    uniqueid: payload.callId,
    ...ofAgent,
    call_info: payload.callInfo ?? '',
    event: topic,
    transfer_uniqueid: payload.transferredFrom?.callId ?? '',
    transfer_queue_id: payload.transferredFrom?.queue.id ?? '',
    dialed_number: payload.dialled ?? '',
    hold_time: text(payload.waitSeconds),
    ring_time: text(payload.ringSeconds),
    talk_time: text(payload.talkSeconds),
    hangup_code: text(hangup?.code),
    reason: payload.reason ?? '',
  };
}

/** `14:05`: what the clocks of a time zone show at a moment; empty when it is none that is known, or no moment. */
export function regionTime(timeZone: string | undefined, at: string | number): string {
  const moment = new Date(at).getTime();
  // A flow may have written anything.
  if (timeZone === undefined || Number.isNaN(moment) || !isTimeZone(timeZone)) return '';
  const minutes = Math.floor((moment + offsetOf(timeZone, moment)) / MINUTE_MS);
  const ofDay = ((minutes % MINUTES_A_DAY) + MINUTES_A_DAY) % MINUTES_A_DAY;
  return [Math.floor(ofDay / 60), ofDay % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
