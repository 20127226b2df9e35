import type { TransferredFrom, QueueMessage, QueueCallPayload } from '../messages/queues';
import type { CallMessage, CallPayload } from '../messages/types';
import type { Agents } from './agents';
import { agentOf, iso } from './payloads';

/** Agents' own calls under way. Those beyond are left out. */
const MAX_DIALOUTS = 20_000;

/** What a call of which some leg is, or was, told of has come to. */
interface Progress {
  trunkDialled: boolean;
  answered: boolean;
}

interface Dialout {
  readonly callId: string;
  readonly rang: CallPayload;
  /** `agent-custom` was told: the client, and not only the agent's own phone, is called. */
  told: boolean;
  answered: boolean;
  /** By the PBX's clock. */
  answeredAt?: number;
}

/** The calls that agents make themselves, and to whom they hand over their callers: told by the life of calls. */
export class Dialouts {
  private readonly legs = new Map<string, Dialout>();
  /** By Linkedid, until the record of the call. */
  private readonly calls = new Map<string, Progress>();

  constructor(
    private readonly agents: Agents,
    private readonly conversationOf: (extension: string, callId: string) => TransferredFrom | undefined,
    private readonly tell: (message: QueueMessage) => void,
  ) {}

  /** A trunk is dialled in the call with this Linkedid. */
  trunkDialled(linkedid: string, at: number): void {
    this.progressOf(linkedid).trunkDialled = true;
    for (const leg of this.legs.values()) if (leg.callId === linkedid) this.tellCustom(leg, at);
  }

  /** `knownUntil`: since then the link is, or was, down, and lists have not come yet (by the PBX's clock). */
  apply({ topic, payload }: CallMessage, at: number, knownUntil?: number): void {
    const { legId, extension, callId } = payload;
    if (topic === 'call_record') {
      this.calls.delete(callId);
      return;
    }
    if (legId === undefined || extension === undefined) return;
    if (topic === 'call_transfer') this.transferred(payload, extension, at);
    else if (topic === 'call_ringing') this.rings(legId, payload, at);
    const leg = this.legs.get(legId);
    if (!leg) return;
    if (topic === 'call_answer') {
      this.tellCustom(leg, at);
      if (leg.answered) return;
      leg.answered = true;
      leg.answeredAt = Date.parse(payload.answeredAt ?? iso(at));
      this.progressOf(callId).answered = true;
      if (leg.told) this.tellOf('agent-dialout-answer', payload, payload.answeredAt ?? iso(at), leg);
    } else if (topic === 'call_hangup') {
      this.legs.delete(legId);
      if (!leg.told) return;
      const ended = asKnown(payload, leg, knownUntil);
      this.tellOf('agent-dialout-hangup', ended, ended.endedAt ?? iso(at), leg);
    }
  }

  private rings(legId: string, payload: CallPayload, at: number): void {
    const { callId, direction } = payload;
    if (direction !== 'out' || this.legs.has(legId) || this.legs.size >= MAX_DIALOUTS) return;
    // Whoever rings after the answer is given the client of a colleague, he does not call him.
    if (this.calls.get(callId)?.answered === true) return;
    const leg = { callId, rang: payload, told: false, answered: false };
    this.legs.set(legId, leg);
    if (this.calls.get(callId)?.trunkDialled === true) this.tellCustom(leg, at);
  }

  private progressOf(callId: string): Progress {
    const progress = this.calls.get(callId) ?? { trunkDialled: false, answered: false };
    if (!this.calls.has(callId) && this.calls.size >= MAX_DIALOUTS)
      this.calls.delete(this.calls.keys().next().value ?? '');
    this.calls.set(callId, progress);
    return progress;
  }

  private tellCustom(leg: Dialout, at: number): void {
    if (leg.told || !this.agents.agentAt(leg.rang.extension ?? '')) return;
    leg.told = true;
    this.tellOf('agent-custom', leg.rang, iso(at), leg);
  }

  private transferred(payload: CallPayload, extension: string, at: number): void {
    const { transfer } = payload;
    if (!transfer || !this.agents.agentAt(extension)) return;
    const from = this.conversationOf(extension, payload.callId);
    const common = this.common(payload, iso(at), extension);
    this.tell({
      topic: 'agent-custom',
      payload: {
        eventId: `${payload.eventId}:agent-custom`,
        ...common,
        dialled: transfer.to,
        transfer,
        ...(from === undefined ? {} : { queue: from.queue, transferredFrom: from }),
      },
    });
  }

  private tellOf(
    topic: 'agent-custom' | 'agent-dialout-answer' | 'agent-dialout-hangup',
    payload: CallPayload,
    at: string,
    { rang }: Dialout,
  ): void {
    const { pbx, legId = '', waitSeconds, talkSeconds, result, hangup, client } = payload;
    const dialled = client?.number ?? rang.client?.number;
    this.tell({
      topic,
      payload: {
        eventId: `${pbx}:${legId}:${topic}`,
        ...this.common(payload, at, payload.extension ?? ''),
        ...(dialled === undefined || dialled === '' ? {} : { dialled }),
        ...(waitSeconds === undefined ? {} : { waitSeconds }),
        ...(topic !== 'agent-dialout-hangup'
          ? {}
          : {
              ...(talkSeconds === undefined ? {} : { talkSeconds }),
              ...(result === undefined ? {} : { reason: result }),
              ...(hangup === undefined ? {} : { hangup }),
            }),
      },
    });
  }

  private common(payload: CallPayload, at: string, extension: string): Omit<QueueCallPayload, 'eventId'> {
    const { pbx, callId, legId, direction, client, peer, line, reconciled } = payload;
    return {
      pbx,
      callId,
      ...(legId === undefined ? {} : { legId }),
      at,
      direction,
      ...(client === undefined ? {} : { client }),
      ...(peer === undefined ? {} : { peer }),
      ...(line === undefined ? {} : { line }),
      agent: agentOf(this.agents.agentAt(extension) ?? { phone: extension }),
      extension,
      agentQueues: this.agents.queuesOf(extension),
      ...(reconciled === undefined ? {} : { reconciled }),
    };
  }
}

/** A call that ended unheard ends when the link was lost: how long they talked in an outage nobody knows. */
function asKnown(payload: CallPayload, { answeredAt }: Dialout, knownUntil: number | undefined): CallPayload {
  if (payload.reconciled !== true || knownUntil === undefined) return payload;
  const end = Math.max(knownUntil, answeredAt ?? knownUntil);
  const { talkSeconds } = payload;
  const known = answeredAt === undefined ? 0 : Math.round((end - answeredAt) / 1000);
  return {
    ...payload,
    endedAt: iso(end),
    ...(talkSeconds === undefined ? {} : { talkSeconds: Math.min(talkSeconds, known) }),
  };
}
