import type { AmiMessage } from '../ami/types';
import { idIn, nameIn, textIn } from '../calls/reading';
import type { TransferredFrom } from '../messages/queues';
import { copied } from '../text';
import type { Agents } from './agents';
import { infoIn, type Channels } from './channels';
import { agentOf, clientOf } from './payloads';
import { byName } from './state';
import type { CallerState, Heard, OfferState, StayState, TalkState } from './state';
import type { QueueTrackerOptions } from './types';

/** Callers who are, or have just been, in a queue. Those beyond are left out and counted (`overBound`). */
const MAX_CALLERS = 20_000;
/** Interfaces that are remembered for one caller; beyond it those that rang in vain long ago go. */
const MAX_OFFERS = 500;

/** Who is in which queue, and where he came from. */
export class CallerBook {
  private readonly callers = new Map<string, CallerState>();
  private readonly byCall = new Map<string, Set<CallerState>>();
  /** Of callers who may have changed, or were forgotten, since it was last asked. */
  private changed = new Set<string>();
  overBound = 0;

  constructor(
    private readonly options: QueueTrackerOptions,
    private readonly agents: Agents,
    private readonly channels: Channels,
  ) {}

  all(): readonly CallerState[] {
    return [...this.callers.values()];
  }

  get(id: string | undefined): CallerState | undefined {
    return id === undefined ? undefined : this.callers.get(id);
  }

  /** The same for one who changes him: he goes to disk anew. */
  toChange(id: string | undefined): CallerState | undefined {
    const caller = this.get(id);
    if (caller) this.touch(caller);
    return caller;
  }

  /** He changes. */
  touch(caller: CallerState): void {
    this.changed.add(caller.id);
  }

  takeChanges(): { readonly changed: readonly CallerState[]; readonly forgotten: readonly string[] } {
    const ids = [...this.changed];
    this.changed = new Set();
    return {
      changed: ids.flatMap((id) => this.callers.get(id) ?? []),
      forgotten: ids.filter((id) => !this.callers.has(id)),
    };
  }

  /** One whom an earlier process knew. */
  restore(caller: CallerState): void {
    if (this.callers.size < MAX_CALLERS) this.add(caller);
    else this.overBound += 1;
  }

  forget(caller: CallerState): void {
    this.callers.delete(caller.id);
    this.touch(caller);
    const others = this.byCall.get(caller.callId);
    others?.delete(caller);
    if (others?.size === 0) this.byCall.delete(caller.callId);
  }

  /** The caller whose channel an event is about, known or new; `undefined`: there is none, or there are too many. */
  callerOf(event: AmiMessage, heard: Heard): CallerState | undefined {
    const id = idIn(event, 'Uniqueid');
    if (id === undefined) return undefined;
    let caller = this.callers.get(id);
    if (!caller && this.callers.size >= MAX_CALLERS) {
      this.overBound += 1;
      return undefined;
    }
    if (!caller) {
      caller = this.newCaller(id, event);
      this.add(caller);
    }
    this.touch(caller);
    caller.seenAt = heard.at;
    const info = { ...this.channels.get(id)?.info, ...infoIn(event) };
    if (info.call_info !== undefined) caller.callInfo = info.call_info;
    if (info.agent_info !== undefined) caller.agentInfo = info.agent_info;
    return caller;
  }

  private add(caller: CallerState): void {
    this.callers.set(caller.id, caller);
    this.byCall.set(caller.callId, (this.byCall.get(caller.callId) ?? new Set()).add(caller));
  }

  private newCaller(id: string, event: AmiMessage): CallerState {
    const { kind, party, callId, exten } = this.channels.of(event);
    const { numbers } = this.options.plan;
    const [number, name] = [textIn(event, 'CallerIDNum'), nameIn(event, 'CallerIDName')];
    const colleague =
      kind === 'extension' ? party : kind !== 'trunk' && numbers.isExtension(number ?? '') ? number : undefined;
    const isTrunk = kind === 'trunk';
    return {
      id: copied(id),
      callId,
      ...(colleague === undefined
        ? { direction: 'in' as const, client: clientOf(numbers, number === 'unknown' ? undefined : number, name) }
        : {
            direction: 'internal' as const,
            peer: { extension: colleague, ...(name === undefined || name === 'unknown' ? {} : { name }) },
          }),
      ...(isTrunk ? { line: { ...(exten === undefined ? {} : { number: exten }), trunk: party } } : {}),
      asked: false,
      seenAt: 0,
      counts: byName(),
      talks: byName(),
    };
  }

  newStay(caller: CallerState, queue: string, joinedAt: number, position?: number): StayState {
    const count = (caller.counts[queue] ?? 0) + 1;
    const from = this.cameFrom(caller);
    caller.counts[queue] = count;
    const stay: StayState = {
      queue,
      count,
      joinedAt,
      ...(position === undefined ? {} : { position }),
      ...(from === undefined ? {} : { transferredFrom: from }),
      offers: byName(),
      byList: false,
      told: false,
      ended: false,
    };
    caller.stay = stay;
    return stay;
  }

  newOffer(
    caller: CallerState,
    stay: StayState,
    event: AmiMessage,
    interfaceName: string,
    legId: string,
    heard: Heard,
  ): OfferState {
    const number = textIn(event, 'DestCallerIDNum');
    const phone = this.agents.phoneOf(interfaceName, undefined, number);
    const name = nameIn(event, 'MemberName');
    const info = this.channels.get(legId)?.info.agent_info ?? caller.agentInfo;
    const offer: OfferState = {
      interface: interfaceName,
      phone,
      ...(name === undefined || name === interfaceName ? {} : { name }),
      ...(info === undefined ? {} : { info }),
      legId: copied(legId),
      calledAt: heard.t,
      seenAt: heard.at,
      taken: false,
    };
    const names = Object.keys(stay.offers);
    if (names.length >= MAX_OFFERS) {
      const old = names.find((one) => stay.offers[one]?.closed !== undefined);
      if (old !== undefined) Reflect.deleteProperty(stay.offers, old);
    }
    stay.offers[interfaceName] = offer;
    return offer;
  }

  /** Those whose call this is; several where a caller became one with another. */
  inCall(callId: string): readonly CallerState[] {
    return [...(this.byCall.get(callId) ?? [])];
  }

  /** Where the caller of an agent's conversation came from, for whoever gets him next. */
  conversationOf(extension: string, callId?: string): TransferredFrom | undefined {
    const callers = callId === undefined ? this.callers.values() : (this.byCall.get(callId) ?? []);
    for (const caller of callers) {
      const talk = Object.values(caller.talks).find(
        (one) => one.extension === extension && (!one.ended || callId !== undefined),
      );
      if (talk) return fromTalk(caller, talk);
    }
    return undefined;
  }

  private cameFrom(caller: CallerState): TransferredFrom | undefined {
    const own = lastOf(caller);
    if (own) return own;
    for (const other of this.byCall.get(caller.callId) ?? []) {
      const last = other === caller ? undefined : lastOf(other);
      if (last) return last;
    }
    // An agent asks another queue before he hands his caller over.
    return caller.peer && this.conversationOf(caller.peer.extension);
  }
}

function fromTalk(caller: CallerState, { stay, offer }: TalkState): TransferredFrom {
  return { callId: caller.callId, queue: { id: stay.queue }, agent: agentOf(offer) };
}

/** The last queue that a caller was in, and who had him there. */
function lastOf(caller: CallerState): TransferredFrom | undefined {
  const { stay, talks, callId } = caller;
  if (!stay) return undefined;
  const talk = Object.values(talks).find((one) => one.stay === stay);
  return talk ? fromTalk(caller, talk) : { callId, queue: { id: stay.queue } };
}
