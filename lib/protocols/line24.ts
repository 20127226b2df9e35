import type { QueueMessage } from '../messages/queues';

/** What is not in a message of a queue, but in the document. */
interface Line24Extras {
  /** `14:05`: what the clock shows where the client is. */
  readonly regionTime?: string;
}

type Variables = Readonly<Record<string, string>>;

/**
 * The `%variables%` of «Линия24» (document "Integration with CRM", 2.10) for one event of a queue or agent. The first twelve have
 * the names of the document (2.1); what it names in words only (3.1: end code, times, id of the transferred call, dialled number)
 * follows under names in the same style. A variable that is not known is an empty text, as a URL template wants it.
 */
export function line24Variables({ topic, payload }: QueueMessage, { regionTime = '' }: Line24Extras = {}): Variables {
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
    // Which region a number belongs to is in no metadata that this pack carries.
    region_name: '',
    region_time: regionTime,
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
