import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Message, parseMessage } from './client';

const folder = join(__dirname, '../../../fixtures/ami');

/** The messages of a recording of a real Asterisk, without its notes and its greeting. */
export function recording(name: string): Message[] {
  const text = readFileSync(join(folder, `${name}.txt`), 'utf8');
  const wire = text.replace(/^(?:;.*\n)+/, '').replace(/^Asterisk Call Manager\/.*\r\n/, '');
  return wire
    .split('\r\n\r\n')
    .filter((part) => part.trim() !== '')
    .map(parseMessage);
}

/** Headers that the recorder's manager.conf added, and one that depends on what the phone sent. */
const ofTheRecorder = /^(?:Timestamp|TechCause|(?:Dest)?ChanVariable.*)$/;

/** Events that say nothing of how a call goes, or whose text is the dialplan's own. */
const noise: ReadonlySet<string> = new Set([
  'VarSet',
  'Newexten',
  'CEL',
  'RTCPSent',
  'RTCPReceived',
  'TestEvent',
  'AsyncAGIStart',
  'AsyncAGIExec',
  'AsyncAGIEnd',
  'AGIExecStart',
  'AGIExecEnd',
]);

/** The event's topic: order is certain within one topic of one channel or device, not between them (measured). */
const topics: readonly (readonly [topic: string, events: RegExp, subject: readonly string[]])[] = [
  ['dial', /^Dial(?:Begin|State|End)$/, ['DestChannel']],
  ['queue', /^(?:QueueCaller|Agent)/, ['Channel']],
  ['music', /^MusicOnHold/, ['Channel']],
  ['bridge', /^Bridge/, ['BridgeUniqueid']],
  ['record', /^Cdr$/, ['Channel']],
  ['origin', /^OriginateResponse$/, []],
  ['device', /^DeviceStateChange$/, ['Device']],
  ['hint', /^ExtensionStatus$/, ['Hint']],
  ['member', /^QueueMember/, ['Queue', 'Interface']],
  ['contact', /^(?:Peer|Contact)Status$/, []],
  ['channel', /./, ['Channel']],
];

/** What of an event must be the same in both, beside its name. */
const telling: Readonly<Record<string, readonly string[]>> = {
  Newchannel: ['ChannelStateDesc'],
  Newstate: ['ChannelStateDesc'],
  DialState: ['DialStatus'],
  DialEnd: ['DialStatus'],
  Hangup: ['ChannelStateDesc', 'Cause', 'Cause-txt'],
  HangupRequest: ['Cause'],
  BridgeEnter: ['BridgeNumChannels'],
  BridgeLeave: ['BridgeNumChannels'],
  DeviceStateChange: ['State'],
  ExtensionStatus: ['Status', 'StatusText'],
  QueueMemberStatus: ['Status'],
  QueueMemberPause: ['Paused'],
  QueueCallerJoin: ['Position', 'Count'],
  QueueCallerLeave: ['Position', 'Count'],
  QueueCallerAbandon: ['Position', 'OriginalPosition'],
  AgentComplete: ['Reason'],
  OriginateResponse: ['Response', 'Reason'],
  Cdr: ['Disposition'],
  PeerStatus: ['PeerStatus'],
  ContactStatus: ['ContactStatus'],
};

/** The events whose order is the same in every recording, whatever their topic. */
const milestones =
  /^(?:Newchannel|DialBegin|DialEnd|BridgeCreate|BridgeEnter|BridgeLeave|BridgeDestroy|QueueCaller.*|Agent.*)$/;

/** Names things by the order in which they appear, so that two runs can be compared: `PJSIP/101-0000002a` -> `channel 2`. */
class Cast {
  private readonly names = new Map<string, string>();

  name(kind: string, real: string): string {
    const known = this.names.get(real);
    if (known !== undefined) return known;
    const count = [...this.names.values()].filter((name) => name.startsWith(kind)).length;
    const name = `${kind} ${count + 1}`;
    this.names.set(real, name);
    return name;
  }
}

export interface Shape {
  /** Per topic and subject: its events in order. */
  readonly threads: Record<string, string[]>;
  readonly milestones: string[];
}

export interface ShapeOptions {
  /** Leaves out what the caller's channel does after its first called leg has ended: there the dialplans differ. */
  readonly untilLegEnds?: boolean;
  /** Leaves out everything from the first event of this name on: in a silence of the recording. */
  readonly until?: string;
  /** Leaves out some more events. */
  readonly without?: RegExp;
}

/** The shape of a run: what happened, in which order, with all names and times taken out. */
export function shapeOf(messages: readonly Message[], options: ShapeOptions = {}): Shape {
  const events = relevant(messages, options);
  const cast = new Cast();
  // Channels and their devices get their names in the order of creation, whatever tells of them first.
  for (const channel of events.filter(({ event }) => event === 'Newchannel').map((event) => event.get('Channel')!)) {
    cast.name('channel', channel);
    cast.name('device', deviceOf(channel));
  }
  const threads: Record<string, string[]> = {};
  const line: string[] = [];
  for (const event of events) {
    const name = event.event!;
    const [topic, , subjectHeaders] = topics.find(([, pattern]) => pattern.test(name))!;
    const subject = subjectHeaders.map((header) => cast.name(kindOf(header), event.get(header) ?? '-')).join(' ');
    const details = (telling[name] ?? []).map((header) => event.get(header) ?? '-');
    const told = [name, ...details].join(' ');
    (threads[`${topic} ${subject}`.trim()] ??= []).push(told);
    if (milestones.test(name)) line.push(`${told} ${subject}`);
  }
  return { threads, milestones: line };
}

function kindOf(header: string): string {
  if (header.endsWith('Channel')) return 'channel';
  if (header === 'BridgeUniqueid') return 'bridge';
  return header === 'Queue' ? 'queue' : 'device';
}

function deviceOf(channel: string): string {
  return channel.replace(/-[0-9a-f]+$/, '');
}

function relevant(messages: readonly Message[], options: ShapeOptions): Message[] {
  const events = messages.filter(
    ({ event }) => event !== undefined && !noise.has(event) && !options.without?.test(event),
  );
  const end = events.findIndex(({ event }) => event === options.until);
  const kept = events
    .slice(0, end < 0 ? undefined : end)
    .filter((event) => !event.get('Device')?.startsWith('Queue:') && event.get('Queue') !== 'nap');
  if (!options.untilLegEnds) return kept;
  const caller = kept.find(({ event }) => event === 'Newchannel')?.get('Channel');
  const ended = kept.findIndex((event) => event.event === 'Hangup' && event.get('Channel') !== caller);
  const device = deviceOf(caller ?? '');
  return kept.filter(
    (event, index) => (index <= ended || event.get('Channel') !== caller) && event.get('Device') !== device,
  );
}

/** Header names of an event or answer, in order, without what the recorder's configuration added. */
export function headerNames(message: Message): string {
  return message.names.filter((name) => !ofTheRecorder.test(name)).join(' ');
}

/** Every kind of event that both runs have must carry the same headers in the same order. */
export function assertSameHeaders(simulated: readonly Message[], recorded: readonly Message[]): void {
  const seen = new Map<string, Set<string>>();
  const kindOfMessage = (message: Message): string => message.event ?? `Response ${message.get('Response')}`;
  for (const message of recorded) {
    const kind = kindOfMessage(message);
    const variants = seen.get(kind) ?? new Set();
    seen.set(kind, variants.add(headerNames(message)));
  }
  for (const message of simulated) {
    const variants = message.event === undefined ? undefined : seen.get(kindOfMessage(message));
    if (!variants) continue;
    const names = headerNames(message);
    if (!variants.has(names)) assert.equal(names, [...variants].join('\nor '), `headers of ${message.event}`);
  }
}

/** Asserts that a simulated run goes as the recorded one: the same events, in the same order, with the same headers. */
export function assertLikeRecording(simulated: readonly Message[], name: string, options: ShapeOptions = {}): void {
  const recorded = recording(name);
  assert.deepEqual(shapeOf(simulated, options), shapeOf(recorded, options), `the course of ${name}`);
  assertSameHeaders(simulated, recorded);
}
