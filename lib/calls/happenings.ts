import type { AmiMessage } from '../ami/types';
import { partnersOf, rootOf } from './conversation';
import { nameIn, numberIn, textIn } from './reading';
import { rolesOf } from './roles';
import { CALL_BOUNDS, type CallState, type ChannelState } from './state';
import { legOf, type Talk } from './talk';
import type { CallTrackerOptions } from './types';

/** One event, the call that it belongs to, the channel that it is about, and when it happened by the PBX's clock. */
export interface Happening {
  readonly event: AmiMessage;
  readonly call: CallState;
  readonly channel: ChannelState;
  readonly t: number;
}

const UP = '6';

/** What each event of Asterisk changes in a call. Whatever it means for the conversation is left to {@link Talk}. */
export class Happenings {
  private readonly handlers: Readonly<Record<string, (happening: Happening) => void>> = {
    newstate: (happening) => this.newState(happening),
    newcallerid: (happening) => this.newCallerId(happening),
    newconnectedline: ({ event, channel }) => {
      const connected = textIn(event, 'ConnectedLineNum');
      if (connected !== undefined) channel.connected = connected;
    },
    dialbegin: (happening) => this.dialBegin(happening),
    dialend: (happening) => this.dialEnd(happening),
    bridgeenter: (happening) => this.bridgeEnter(happening),
    bridgeleave: (happening) => this.bridgeLeave(happening),
    hangup: (happening) => this.hangup(happening),
    hanguprequest: (happening) => this.hangupRequest(happening),
    hold: ({ call, channel, t }) => {
      if (channel.kind === 'extension') this.talk.hold(call, channel, t);
    },
    unhold: ({ call, channel, t }) => {
      if (channel.kind === 'extension') this.talk.unhold(call, channel, t);
    },
    musiconholdstart: (happening) => this.music(happening),
    parkedcall: (happening) => this.parked(happening),
    parkedcalltimeout: ({ call, t }) => this.unparked(call, t),
    blindtransfer: (happening) => this.blindTransfer(happening),
    attendedtransfer: (happening) => this.attendedTransfer(happening),
    queuecallerjoin: ({ event, call }) => {
      const queue = textIn(event, 'Queue');
      if (queue !== undefined) call.queue = queue;
      call.inQueue = true;
    },
    queuecallerleave: ({ call }) => (call.inQueue = false),
    queuecallerabandon: ({ call }) => (call.inQueue = false),
    originateresponse: (happening) => this.originateResponse(happening),
    confbridgejoin: ({ call }) => this.talk.concludeService(call),
    meetmejoin: ({ call }) => this.talk.concludeService(call),
    mixmonitorstart: ({ call }) => (call.recording ??= {}),
    monitorstart: ({ call }) => (call.recording ??= {}),
    varset: (happening) => this.variable(happening),
    newexten: ({ event, call }) => {
      if (isVoicemail(event.get('Application'))) call.voicemail = true;
    },
    cdr: (happening) => this.cdr(happening),
  };

  constructor(
    private readonly options: CallTrackerOptions,
    private readonly talk: Talk,
  ) {}

  apply(happening: Happening): void {
    this.handlers[happening.event.name.toLowerCase()]?.(happening);
  }

  /** A channel is gone, whether Asterisk said so or it is missing in the list of channels. */
  gone(call: CallState, channel: ChannelState, t: number, cause?: number): void {
    if (channel.goneAt !== undefined) return;
    channel.goneAt = t;
    if (cause !== undefined) channel.cause = cause;
    leaveBridge(call, channel);
    this.talk.settle(call, t);
    if (channel.kind === 'extension') this.talk.legIsOver(call, channel);
  }

  /** What a row of the list of channels says, where it is news: who is in which bridge, and who is up. */
  found(call: CallState, channel: ChannelState, row: AmiMessage, at: number): void {
    if (row.get('ChannelState') === UP) channel.upAt ??= at;
    const [number, connected] = [textIn(row, 'CallerIDNum'), textIn(row, 'ConnectedLineNum')];
    if (number !== undefined) channel.number ??= number;
    if (connected !== undefined) channel.connected = connected;
    const id = textIn(row, 'BridgeId');
    if (channel.bridge !== id) leaveBridge(call, channel);
    if (id !== undefined) {
      const bridge = (call.bridges[id] ??= { members: [], holding: false, conference: false });
      channel.bridge = id;
      if (!bridge.members.includes(channel.id)) bridge.members.push(channel.id);
    }
    this.talk.settle(call, at);
  }

  private newState({ event, call, channel, t }: Happening): void {
    const connected = textIn(event, 'ConnectedLineNum');
    if (connected !== undefined) channel.connected = connected;
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
    channel.dialledBy = event.get('Uniqueid') ?? '';
    const dialString = textIn(event, 'DialString');
    if (dialString !== undefined) channel.dialString = dialString;
    const number = textIn(event, 'DestCallerIDNum');
    if (channel.kind === 'trunk' && number !== undefined) channel.number = number;
    const connected = textIn(event, 'DestConnectedLineNum');
    if (connected !== undefined) channel.connected = connected;
    if (channel.kind === 'local' || channel.kind === 'other') return;
    const by = channel.dialledBy === '' ? undefined : call.channels[channel.dialledBy];
    const root = by && rootOf(call, by);
    if (channel.kind === 'extension') {
      if (!call.rung.includes(channel.party) && call.rung.length < CALL_BOUNDS.extensions)
        call.rung.push(channel.party);
      this.talk.ringing(call, channel, t);
      this.dialledAfterRedirect(call, channel, root);
    }
    if (root?.kind === 'extension' && root.goneAt === undefined) this.talk.ringing(call, root, t);
  }

  /**
   * The dialplan dials somebody for a client who was with one of ours, and that one did not hang up: a manager's Redirect took
   * the client away. After a park it is the slot's time-out, after a blind transfer the transfer has been told.
   */
  private dialledAfterRedirect(call: CallState, dialled: ChannelState, root: ChannelState | undefined): void {
    const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    const { client, caller } = rolesOf(call, this.options.plan);
    if (!talker?.leg || !root || root !== (client ?? caller) || root === talker) return;
    const isLeft = talker.askedAt === undefined && !talker.leg.handedOver && root.bridge === undefined;
    if (!isLeft || call.pending || call.holdKind !== undefined || dialled.party === talker.party) return;
    talker.leg.handedOver = true;
    call.pending = { type: 'blind', from: talker.party, fromLeg: talker.id };
    this.talk.transferred(call, talker, 'blind', dialled.party);
  }

  private dialEnd({ event, channel }: Happening): void {
    const status = textIn(event, 'DialStatus');
    if (status !== undefined) channel.dialEnd ??= status;
  }

  private bridgeEnter({ event, call, channel, t }: Happening): void {
    const id = textIn(event, 'BridgeUniqueid');
    if (id === undefined || channel.goneAt !== undefined) return;
    if (channel.bridge !== id) leaveBridge(call, channel);
    if (!(id in call.bridges) && Object.keys(call.bridges).length >= CALL_BOUNDS.bridges) return;
    const bridge = (call.bridges[id] ??= {
      members: [],
      holding: event.get('BridgeTechnology') === 'holding_bridge',
      conference: event.get('BridgeCreator') === 'ConfBridge',
    });
    channel.bridge = id;
    if (!bridge.members.includes(channel.id)) bridge.members.push(channel.id);
    if (bridge.conference) this.talk.concludeService(call);
    this.talk.settle(call, t);
  }

  private bridgeLeave({ event, call, channel, t }: Happening): void {
    if (channel.bridge === undefined || channel.bridge !== textIn(event, 'BridgeUniqueid')) return;
    leaveBridge(call, channel);
    this.talk.settle(call, t);
  }

  private hangup({ event, call, channel, t }: Happening): void {
    const cause = Number(event.get('Cause') ?? '0');
    this.gone(call, channel, t, Number.isInteger(cause) ? cause : 0);
  }

  private hangupRequest({ event, call, channel, t }: Happening): void {
    if (channel.askedAt !== undefined || channel.goneAt !== undefined) return;
    channel.askedAt = t;
    // Of two legs that end together either may be told first: why this one ends is known from now on.
    const cause = numberIn(event, 'Cause');
    if (cause !== undefined && cause > 0) channel.cause = cause;
    const { client, direction } = rolesOf(call, this.options.plan);
    if (channel === client) {
      call.endedBy ??= 'client';
      if (call.inQueue) call.abandoned = true;
    } else if (channel.kind === 'extension' && channel.leg?.handedOver !== true) {
      const partners = partnersOf(call, channel);
      const hasClient = direction === 'internal' || (client !== undefined && partners.includes(client));
      if (hasClient || call.lastTalker === channel.id) call.endedBy ??= 'extension';
    }
  }

  /** A client whom nobody hears and who hears music is on hold, as long as the one who had him is still there. */
  private music({ call, channel, t }: Happening): void {
    const { client, caller } = rolesOf(call, this.options.plan);
    const talker = call.lastTalker === undefined ? undefined : call.channels[call.lastTalker];
    if (channel !== (client ?? caller) || channel.bridge !== undefined || call.inQueue || !talker) return;
    if (talker.goneAt === undefined && talker.leg?.handedOver !== true) this.talk.setAside(call, 'music', t);
  }

  private parked({ call, t }: Happening): void {
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

  /** `channel` is the transferrer. */
  private blindTransfer({ event, call, channel }: Happening): void {
    const to = textIn(event, 'Extension');
    if (event.get('Result') !== 'Success' || channel.kind !== 'extension' || to === undefined) return;
    const leg = legOf(channel);
    if (leg.handedOver || leg.end) return;
    leg.handedOver = true;
    leg.transferTo = to;
    call.pending = { type: 'blind', from: channel.party, fromLeg: channel.id };
  }

  /** `channel` is the transferrer's first leg; the calls are one by now. */
  private attendedTransfer({ event, call, channel, t }: Happening): void {
    if (event.get('Result') !== 'Success' || channel.kind !== 'extension') return;
    const leg = legOf(channel);
    if (leg.handedOver) return;
    const second = call.channels[event.get('SecondTransfererUniqueid') ?? ''];
    for (const one of [channel, second]) if (one?.kind === 'extension') legOf(one).handedOver = true;
    call.pending = { type: 'attended', from: channel.party, fromLeg: channel.id };
    delete call.endedBy;
    const target = call.channels[event.get('TransferTargetUniqueid') ?? ''];
    this.talk.settle(call, t);
    const to = call.transfer?.type === 'attended' ? call.transfer.to : this.targetOf(call, channel, target);
    if (to !== undefined) this.talk.transferred(call, channel, 'attended', to);
  }

  private targetOf(call: CallState, from: ChannelState, target: ChannelState | undefined): string | undefined {
    if (target?.kind === 'extension') return target.party;
    const behind =
      target && partnersOf(call, target).find(({ kind, party }) => kind === 'extension' && party !== from.party);
    return behind?.party ?? call.rung.filter((extension) => extension !== from.party).at(-1);
  }

  private originateResponse({ event, call }: Happening): void {
    const exten = textIn(event, 'Exten');
    const application = textIn(event, 'Application');
    call.originate ??= {
      ...(exten === undefined ? {} : { exten }),
      ...(application === undefined ? {} : { application }),
    };
  }

  private variable({ event, call }: Happening): void {
    const name = event.get('Variable') ?? '';
    const value = event.get('Value') ?? '';
    if (name === 'MIXMONITOR_FILENAME' && value !== '') (call.recording ??= {}).file = value.slice(0, 1000);
    if (/^(VMSTATUS|VM_MESSAGEFILE)$/.test(name) && value !== '') call.voicemail = true;
    keepVariables(this.options, call, [[name.replace(/^_{1,2}/, ''), value]]);
  }

  private cdr({ event, call }: Happening): void {
    if (isVoicemail(event.get('LastApplication'))) call.voicemail = true;
    if (call.cdrs.length >= CALL_BOUNDS.cdrs) return;
    const fields = Object.entries(event.toObject()).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !/^(Event|Privilege|Timestamp)$/i.test(name) ? [[name, value.slice(0, 512)]] : [],
    );
    const cdr = Object.fromEntries(fields);
    const isKnown = call.cdrs.some((one) => JSON.stringify(one) === JSON.stringify(cdr));
    if (!isKnown) call.cdrs.push(cdr);
  }
}

const isVoicemail = (application: string | undefined): boolean => /^voicemail$/i.test(application ?? '');

function leaveBridge(call: CallState, channel: ChannelState): void {
  const bridge = channel.bridge === undefined ? undefined : call.bridges[channel.bridge];
  if (bridge) {
    bridge.members = bridge.members.filter((id) => id !== channel.id);
    if (bridge.members.length === 0) {
      call.bridges = Object.fromEntries(Object.entries(call.bridges).filter(([, one]) => one !== bridge));
    }
  }
  delete channel.bridge;
}

/** Keeps the variables that the admin chose; an empty value says nothing, and does not wipe what was there. */
export function keepVariables(
  { variables = [] }: CallTrackerOptions,
  call: CallState,
  pairs: readonly (readonly [name: string, value: string])[],
): void {
  for (const [name, value] of pairs) {
    const chosen = variables.find((one) => one.toLowerCase() === name.toLowerCase());
    if (chosen === undefined || value === '') continue;
    if (chosen in call.variables || Object.keys(call.variables).length < CALL_BOUNDS.variables) {
      call.variables[chosen] = value.slice(0, 512);
    }
  }
}
