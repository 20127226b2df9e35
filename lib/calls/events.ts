/** What an event says about the channels that it names. */
interface CallEvent {
  /** The header with the Uniqueid of the channel that the event is about. */
  readonly subject: string;
  /** Headers with the Uniqueids of channels that belong to one call from this event on. */
  readonly joins?: readonly string[];
}

const ABOUT_ITS_CHANNEL: CallEvent = { subject: 'Uniqueid' };
const ABOUT_THE_DIALLED: CallEvent = { subject: 'DestUniqueid', joins: ['Uniqueid', 'DestUniqueid'] };
const ABOUT_THE_PARKED: CallEvent = { subject: 'ParkeeUniqueid' };

/**
 * The events that the life of calls is made of; all others are passed over. `Newexten` and `CEL` are not among them: together they are
 * two thirds of all events and say nothing that these do not. Nor is `MessageWaiting`: a message left in a mailbox brings none (measured
 * on 22.10); the variables and the Cdr of `VoiceMail` tell.
 */
const EVENTS = {
  Newchannel: ABOUT_ITS_CHANNEL,
  Newstate: ABOUT_ITS_CHANNEL,
  NewCallerid: ABOUT_ITS_CHANNEL,
  NewConnectedLine: ABOUT_ITS_CHANNEL,
  DialBegin: ABOUT_THE_DIALLED,
  DialEnd: ABOUT_THE_DIALLED,
  LocalBridge: { subject: 'LocalOneUniqueid', joins: ['LocalOneUniqueid', 'LocalTwoUniqueid'] },
  BridgeEnter: ABOUT_ITS_CHANNEL,
  BridgeLeave: ABOUT_ITS_CHANNEL,
  BridgeMerge: ABOUT_ITS_CHANNEL,
  Hold: ABOUT_ITS_CHANNEL,
  Unhold: ABOUT_ITS_CHANNEL,
  MusicOnHoldStart: ABOUT_ITS_CHANNEL,
  HangupRequest: ABOUT_ITS_CHANNEL,
  Hangup: ABOUT_ITS_CHANNEL,
  BlindTransfer: { subject: 'TransfererUniqueid' },
  AttendedTransfer: {
    subject: 'OrigTransfererUniqueid',
    joins: ['OrigTransfererUniqueid', 'SecondTransfererUniqueid', 'TransfereeUniqueid', 'TransferTargetUniqueid'],
  },
  Pickup: { subject: 'Uniqueid', joins: ['Uniqueid', 'TargetUniqueid'] },
  ParkedCall: ABOUT_THE_PARKED,
  UnParkedCall: { subject: 'ParkeeUniqueid', joins: ['ParkeeUniqueid', 'RetrieverUniqueid'] },
  ParkedCallTimeOut: ABOUT_THE_PARKED,
  OriginateResponse: ABOUT_ITS_CHANNEL,
  ConfbridgeJoin: ABOUT_ITS_CHANNEL,
  MeetmeJoin: ABOUT_ITS_CHANNEL,
  QueueCallerJoin: ABOUT_ITS_CHANNEL,
  QueueCallerLeave: ABOUT_ITS_CHANNEL,
  QueueCallerAbandon: ABOUT_ITS_CHANNEL,
  MixMonitorStart: ABOUT_ITS_CHANNEL,
  MonitorStart: ABOUT_ITS_CHANNEL,
  VarSet: ABOUT_ITS_CHANNEL,
  Cdr: ABOUT_ITS_CHANNEL,
} as const satisfies Readonly<Record<string, CallEvent>>;

export type CallEventName = keyof typeof EVENTS;

/** The events that say no more than which channels there are, and which of them belong to one call. */
export type StructuralEvent = 'Newchannel' | 'LocalBridge' | 'BridgeMerge' | 'Pickup' | 'UnParkedCall';

/** What to subscribe to for a tracker of calls. */
export const CALL_EVENTS: readonly string[] = Object.keys(EVENTS);

type NamedEvent = CallEvent & { readonly name: CallEventName };

const byLowerName: ReadonlyMap<string, NamedEvent> = new Map(
  Object.entries(EVENTS).map(([name, event]) => [name.toLowerCase(), { ...event, name: name as CallEventName }]),
);

/** The event of this name (without case); `undefined` when it says nothing about calls. */
export const callEvent = (name: string): NamedEvent | undefined => byLowerName.get(name.toLowerCase());
