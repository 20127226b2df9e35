import type { AmiMessage } from '../ami/types';
import { copied } from '../text';
import { enterBridge, isConference, leaveBridge } from './bridges';
import { learnConsultation, partnersOf, rootOf } from './conversation';
import type { CallEventName, StructuralEvent } from './events';
import { keepVariables, noteCdr, noteVariable } from './notes';
import { idIn, nameIn, numberIn, textIn } from './reading';
import { isOurs, rolesOf } from './roles';
import { CALL_BOUNDS, type CallState, type ChannelState } from './state';
import type { Talk } from './talk';
import { Transfers } from './transfers';
import type { CallTrackerOptions } from './types';

/** One event, the call that it belongs to, the channel that it is about, and when it happened by the PBX's clock. */
export interface Happening {
  readonly event: AmiMessage;
  readonly call: CallState;
  readonly channel: ChannelState;
  readonly t: number;
}

type Handler = (happening: Happening) => void;

const RINGING = '5';
const UP = '6';

/** What each event of Asterisk changes in a call. Whatever it means for the conversation is left to {@link Talk}. */
export class Happenings {
  private readonly transfers: Transfers;
  private readonly handlers: Readonly<Partial<Record<CallEventName, Handler>>> = {
    Newstate: (happening) => this.newState(happening),
    NewCallerid: (happening) => this.newCallerId(happening),
    NewConnectedLine: ({ event, channel }) => isShown(channel, textIn(event, 'ConnectedLineNum')),
    DialBegin: (happening) => this.dialBegin(happening),
    DialEnd: (happening) => this.dialEnd(happening),
    BridgeEnter: (happening) => this.bridgeEnter(happening),
    BridgeLeave: (happening) => this.bridgeLeave(happening),
    Hangup: (happening) => this.hangup(happening),
    HangupRequest: (happening) => this.hangupRequest(happening),
    Hold: ({ call, channel, t }) => {
      if (channel.kind === 'extension') this.talk.hold(call, channel, t);
    },
    Unhold: ({ call, channel, t }) => {
      if (channel.kind === 'extension') this.talk.unhold(call, channel, t);
    },
    MusicOnHoldStart: (happening) => this.music(happening),
    ParkedCall: (happening) => this.parked(happening),
    ParkedCallTimeOut: ({ call, t }) => this.unparked(call, t),
    BlindTransfer: ({ event, call, channel }) => this.transfers.blind(call, channel, event),
    AttendedTransfer: ({ event, call, channel, t }) => this.transfers.attended(call, channel, event, t),
    QueueCallerJoin: ({ event, call }) => {
      const queue = textIn(event, 'Queue');
      if (queue !== undefined) call.queue = queue;
      call.inQueue = true;
    },
    QueueCallerLeave: ({ call }) => (call.inQueue = false),
    QueueCallerAbandon: ({ call }) => (call.inQueue = false),
    OriginateResponse: (happening) => this.originateResponse(happening),
    ConfbridgeJoin: ({ call }) => this.talk.concludeService(call),
    MeetmeJoin: ({ call }) => this.talk.concludeService(call),
    MixMonitorStart: ({ call }) => (call.recording ??= {}),
    MonitorStart: ({ call }) => (call.recording ??= {}),
    VarSet: ({ event, call }) => noteVariable(this.options, call, event),
    Cdr: ({ event, call }) => noteCdr(call, event),
  } satisfies Readonly<Record<Exclude<CallEventName, StructuralEvent>, Handler>>;

  constructor(
    private readonly options: CallTrackerOptions,
    private readonly talk: Talk,
  ) {
    this.transfers = new Transfers(options, talk);
  }

  apply(name: CallEventName, happening: Happening): void {
    this.handlers[name]?.(happening);
    keepVariables(this.options, happening.call, happening.event);
  }

  /** A channel is gone, whether Asterisk said so or it is missing in the list of channels. */
  gone(call: CallState, channel: ChannelState, t: number, cause?: number): void {
    if (channel.goneAt !== undefined) return;
    channel.goneAt = t;
    if (cause !== undefined) channel.cause = cause;
    leaveBridge(call, channel);
    this.talk.settle(call, t);
    if (channel.kind === 'extension') this.talk.legIsOver(call, channel);
    else if (channel.kind === 'trunk') this.talk.concludeService(call);
  }

  /**
   * What a row of the list of channels says, where it is news: who rings, who is up, and who is in which bridge. `lostAt`: until
   * then everything was heard. A conversation that began since is counted from the earliest moment at which it can have begun.
   */
  found({ event: row, call, channel, t }: Happening, lostAt: number | undefined): void {
    const number = textIn(row, 'CallerIDNum');
    if (number !== undefined) channel.number ??= number;
    isShown(channel, textIn(row, 'ConnectedLineNum'));
    const state = row.get('ChannelState');
    if (state === UP) channel.upAt ??= t;
    if (channel.kind === 'extension' && !channel.incoming && (state === RINGING || state === UP)) {
      this.rung(call, channel);
      if (state === RINGING) this.talk.ringing(call, channel, t);
    }
    const id = idIn(row, 'BridgeId');
    if (wasParkedOutOf(call, channel, id)) return;
    const kind = { holding: false, conference: isConference(row) };
    const bridge = id === undefined ? undefined : enterBridge(call, channel, id, kind);
    if (!bridge) leaveBridge(call, channel);
    if (bridge?.conference === true) this.talk.concludeService(call);
    const born = (bridge?.members ?? []).map((member) => call.channels[member]?.bornAt ?? t);
    this.talk.settle(call, call.answeredAt === undefined && bridge ? Math.max(lostAt ?? -Infinity, ...born) : t);
  }

  private newState({ event, call, channel, t }: Happening): void {
    isShown(channel, textIn(event, 'ConnectedLineNum'));
    if (event.get('ChannelState') !== UP || channel.upAt !== undefined) return;
    channel.upAt = t;
    this.talk.settle(call, t);
  }

  /** The dialplan may give a caller the name that the CRM knows him by; another number is no longer his own. */
  private newCallerId({ event, channel }: Happening): void {
    const number = textIn(event, 'CallerIDNum');
    const name = nameIn(event, 'CallerIDName');
    if (!channel.incoming && number !== undefined) channel.number = number;
    if (channel.incoming && name !== undefined && number === channel.number) channel.callerName = name;
  }

  /** `channel` is the one that is dialled. */
  private dialBegin({ event, call, channel, t }: Happening): void {
    if (channel.dialledBy !== undefined) return;
    channel.dialledBy = copied(idIn(event, 'Uniqueid') ?? '');
    const dialString = textIn(event, 'DialString');
    if (dialString !== undefined) channel.dialString = dialString;
    const number = textIn(event, 'DestCallerIDNum');
    if (channel.kind === 'trunk' && number !== undefined) channel.number = number;
    isShown(channel, textIn(event, 'DestConnectedLineNum'));
    const by = channel.dialledBy === '' ? undefined : call.channels[channel.dialledBy];
    if (channel.kind === 'local' && by) noteForward(call, by);
    if (channel.kind === 'local' || channel.kind === 'other') return;
    if (by) learnConsultation(call, by);
    const root = by && rootOf(call, by);
    if (channel.kind === 'extension') {
      this.rung(call, channel);
      this.talk.ringing(call, channel, t);
      this.transfers.afterRedirect(call, channel, root, t);
    }
    if (root?.kind === 'extension' && root.goneAt === undefined) this.talk.ringing(call, root, t);
  }

  private rung({ rung }: CallState, { party }: ChannelState): void {
    if (!rung.includes(party) && rung.length < CALL_BOUNDS.extensions) rung.push(party);
  }

  /** A second one is nothing: a queue cancels what has already rung out. */
  private dialEnd({ event, channel }: Happening): void {
    const status = textIn(event, 'DialStatus');
    if (status !== undefined) channel.dialEnd ??= status;
  }

  private bridgeEnter({ event, call, channel, t }: Happening): void {
    const id = idIn(event, 'BridgeUniqueid');
    if (id === undefined || channel.goneAt !== undefined) return;
    const holding = event.get('BridgeTechnology') === 'holding_bridge';
    const bridge = enterBridge(call, channel, id, { holding, conference: isConference(event) });
    if (bridge?.conference === true) this.talk.concludeService(call);
    this.talk.settle(call, t);
  }

  private bridgeLeave({ event, call, channel, t }: Happening): void {
    if (channel.bridge === undefined || channel.bridge !== idIn(event, 'BridgeUniqueid')) return;
    leaveBridge(call, channel);
    this.talk.settle(call, t);
  }

  private hangup({ event, call, channel, t }: Happening): void {
    this.gone(call, channel, t, numberIn(event, 'Cause') ?? 0);
  }

  private hangupRequest({ event, call, channel, t }: Happening): void {
    if (channel.askedAt !== undefined || channel.goneAt !== undefined) return;
    channel.askedAt = t;
    // Of two legs that end together either may be told first: why this one ends is known from now on.
    const cause = numberIn(event, 'Cause');
    if (cause !== undefined && cause > 0) channel.cause = cause;
    const roles = rolesOf(call, this.options.plan);
    const { client, direction, subject } = roles;
    // Whoever hangs up when the client is gone ends nothing any more.
    if (subject?.goneAt !== undefined) return;
    if (channel === client) {
      call.endedBy ??= 'client';
      if (call.inQueue) call.abandoned = true;
      return;
    }
    // An outside number that took the call for an extension ends it as that one; another is nobody of ours.
    const isFor = channel.kind === 'extension' || (isOurs(roles, channel) && call.takenFor !== undefined);
    if (isFor && channel.leg?.handedOver !== true) {
      const partners = partnersOf(call, channel);
      const hasClient = direction === 'internal' || (client !== undefined && partners.includes(client));
      if (hasClient || call.lastTalker === channel.id) call.endedBy ??= 'extension';
    }
  }

  /** A client whom nobody hears and who hears music is on hold, as long as the one who had him is still there. */
  private music({ call, channel, t }: Happening): void {
    const { subject } = rolesOf(call, this.options.plan);
    const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    if (channel !== subject || channel.bridge !== undefined || call.inQueue || !talker) return;
    if (talker.goneAt === undefined && talker.leg?.handedOver !== true) this.talk.setAside(call, 'music', t);
  }

  /** `channel` is parked. That it leaves the bridge with the one who had it may be told before or after. */
  private parked({ call, channel, t }: Happening): void {
    if (channel.bridge !== undefined && call.bridges[channel.bridge]?.holding !== true) leaveBridge(call, channel);
    const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    delete call.pending;
    if (talker?.leg) {
      delete talker.leg.transferTo;
      talker.leg.handedOver = true;
    }
    delete call.endedBy;
    this.talk.setAside(call, 'parked', t);
  }

  private unparked(call: CallState, t: number): void {
    delete call.holdKind;
    this.talk.settle(call, t);
  }

  private originateResponse({ event, call }: Happening): void {
    const exten = textIn(event, 'Exten');
    const application = textIn(event, 'Application');
    call.originate ??= {
      ...(exten === undefined ? {} : { exten }),
      ...(application === undefined ? {} : { application }),
    };
  }
}

/**
 * A parked client in the bridge that he was parked out of: the list is of the moment before he left it. Asterisk tells of the park
 * first (measured on 22.10 and 16.28); whoever takes him back makes another bridge.
 */
function wasParkedOutOf(call: CallState, channel: ChannelState, bridge: string | undefined): boolean {
  const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
  const isParked = call.holdKind === 'parked' && channel !== talker && channel.bridge === undefined;
  return isParked && bridge !== undefined && talker?.bridge === bridge;
}

/** What the far end is shown when it rings; what it is shown later is who has it then. */
function isShown(channel: ChannelState, number: string | undefined): void {
  if (number !== undefined && (channel.upAt === undefined || channel.connected === undefined)) {
    channel.connected = number;
  }
}

/** A phone that sent its call on is cancelled by the dial, which goes on with a Local channel to the other number. */
function noteForward(call: CallState, by: ChannelState): void {
  for (const one of Object.values(call.channels)) {
    const isWithdrawn = one.dialledBy === by.id && one.dialEnd === 'CANCEL' && one.goneAt === undefined;
    if (one.kind === 'extension' && isWithdrawn && by.askedAt === undefined) one.forwarded = true;
  }
}
