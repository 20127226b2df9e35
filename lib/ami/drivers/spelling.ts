const channel = [
  'Channel ChannelState ChannelStateDesc CallerIDNum CallerIDName ConnectedLineNum ConnectedLineName Language',
  'AccountCode Context Exten Priority Uniqueid Linkedid',
].join(' ');
const others = [
  'ActionID EventList ListItems Message Privilege Timestamp ChanVariable Cause-txt AppData',
  'DialStatus DialString BridgeUniqueid BridgeType BridgeTechnology BridgeCreator BridgeName BridgeNumChannels',
  'BridgeVideoSourceMode MusicClass MemberName StateInterface RingTime RingInUse HoldTime TalkTime',
  'CallsTaken LastCall LastPause InCall LoggedIn PausedReason WrapupTime UserEvent DeviceState',
  'AgentCalled EndpointName ContactStatus URI AOR RoundtripUsec StatusText PeerStatus ChannelType',
  'AMIversion AsteriskVersion StartTime AnswerTime EndTime BillableSeconds DestinationContext CallerID',
  'LastApplication LastData AMAFlags UserField DestinationChannel AsteriskID',
].join(' ');

const known = new Map<string, string>();
for (const name of channel.split(' ')) {
  for (const whose of ['', 'Dest']) known.set((whose + name).toLowerCase(), whose + name);
}
for (const name of others.split(' ')) known.set(name.toLowerCase(), name);

/** A header's name as Asterisk writes it, from its lower case; a name not known here gets a capital. */
export function spelled(lower: string): string {
  return known.get(lower) ?? lower.charAt(0).toUpperCase() + lower.slice(1);
}
