import type { ActionOptions, AmiClient, AmiMessage } from '../ami/types';
import type { Whose } from '../phone/interfaces';

/** The context of the shipped dialplan where both parties of a held call wait. */
export const HOLD_CONTEXT = 'telephony-crm-hold';

/** One channel of the PBX, as `CoreShowChannels` tells it. */
export interface LiveChannel {
  readonly name: string;
  /** Uniqueid. */
  readonly id: string;
  readonly linkedid: string;
  readonly isLocal: boolean;
  readonly isUp: boolean;
  /** It is being called and was not answered yet. */
  readonly isRinging: boolean;
  readonly bridge?: string;
  /** It waits in {@link HOLD_CONTEXT}. */
  readonly isAside: boolean;
  /** What of the dialplan it runs, with its arguments: `Queue` and `support,t`; `AppDial` and `AppQueue` where one is called by it. */
  readonly application: string;
  readonly arguments: string;
  /** The extension whose phone it is. */
  readonly extension?: string;
  /** What its far end says of itself; only to be shown. */
  readonly number?: string;
}

const isLocal = (name: string): boolean => name.startsWith('Local/');

const RING = '4';
const RINGING = '5';
const UP = '6';

/** Reads a row of `CoreShowChannels`; `undefined` for what has no name or id, which no Asterisk sends. */
function readChannel(row: AmiMessage, whose: Whose): LiveChannel | undefined {
  const [name, id, linkedid] = ['Channel', 'Uniqueid', 'Linkedid'].map((header) => row.get(header) ?? '');
  if (!name || !id || !linkedid) return undefined;
  const [state, bridge, number] = ['ChannelState', 'BridgeId', 'CallerIDNum'].map((header) => row.get(header));
  const isUp = state === UP;
  const extension = whose(name);
  return {
    name: name,
    id: id,
    linkedid: linkedid,
    isLocal: isLocal(name),
    isUp,
    isRinging: state === RINGING || state === RING,
    isAside: isUp && !bridge && row.get('Context') === HOLD_CONTEXT,
    application: row.get('Application') ?? '',
    arguments: row.get('ApplicationData') ?? '',
    ...(bridge ? { bridge: bridge } : {}),
    ...(extension === undefined ? {} : { extension: extension }),
    ...(number && number !== '<unknown>' ? { number: number } : {}),
  };
}

/** All channels that live now. Rejects as {@link AmiClient.list} does. */
export async function liveChannels(
  client: Pick<AmiClient, 'list'>,
  whose: Whose,
  options?: ActionOptions,
): Promise<LiveChannel[]> {
  const rows = await client.list({ action: 'CoreShowChannels' }, options);
  return rows.map((row) => readChannel(row, whose)).filter((channel) => channel !== undefined);
}

/** It was called, has answered, and is not yet connected with whoever calls. */
export function isBeingConnected({ isUp, bridge, application }: LiveChannel): boolean {
  return isUp && bridge === undefined && /^App(?:Dial|Queue)$/.test(application);
}

/** Who is connected with a channel: one, nobody, or more than one. */
export type Opposite = LiveChannel | 'nobody' | 'several';

/** Local channels stand between two bridges; more of them in a row than this is a loop. */
const MAX_HOPS = 20;

/** The channel at the other end of the conversation, through whatever Local channels lie between. */
export function oppositeOf(channels: readonly LiveChannel[], from: LiveChannel): Opposite {
  let at: LiveChannel | undefined = from;
  for (let hop = 0; at && hop < MAX_HOPS; hop++) {
    const { bridge, id } = at;
    if (bridge === undefined) return 'nobody';
    const [next, ...more] = channels.filter((one) => one.bridge === bridge && one.id !== id);
    if (more.length > 0) return 'several';
    if (!next) return 'nobody';
    if (!next.isLocal) return next;
    const half = otherHalf(next.name);
    at = channels.find(({ name }) => name === half);
  }
  return 'nobody';
}

function otherHalf(local: string): string {
  return local.replace(/;([12])$/, (_, half: string) => (half === '1' ? ';2' : ';1'));
}

/** Alone in its bridge: parked, or left by a party that consults somebody. */
export function isAlone(channels: readonly LiveChannel[], { bridge }: LiveChannel): boolean {
  return bridge !== undefined && channels.filter((one) => one.bridge === bridge).length === 1;
}

/**
 * Whether Asterisk listens to the keys of this phone: `no` where they would go on to a Local channel, `perhaps` where nothing
 * tells.
 */
export function mayPressKeys(channels: readonly LiveChannel[], leg: LiveChannel): 'yes' | 'no' | 'perhaps' {
  const [other, ...more] = channels.filter(({ id, bridge }) => bridge === leg.bridge && id !== leg.id);
  if (hasOption(leg, 'T')) return 'yes';
  if (other && more.length === 0 && leg.application === `App${other.application}` && hasOption(other, 't'))
    return 'yes';
  return other?.isLocal === true ? 'no' : 'perhaps';
}

/** Which argument of an application are its options. */
const OPTIONS_AT: Readonly<Record<string, number>> = { Dial: 2, Queue: 1, Bridge: 1 };

function hasOption({ application, arguments: text }: LiveChannel, letter: string): boolean {
  const at = OPTIONS_AT[application];
  if (at === undefined) return false;
  const options = text.split(',')[at] ?? '';
  // What stands in brackets belongs to the option before.
  return options.replace(/\([^)]*\)?/g, '').includes(letter);
}
