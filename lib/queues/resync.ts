import type { AmiMessage } from '../ami/types';
import { classify } from '../calls/classify';
import { idIn, numberIn, textIn } from '../calls/reading';
import type { CallPlan } from '../calls/types';
import type { CallerBook } from './book';
import type { Callers } from './callers';
import type { CallerState, Heard, OfferState, TalkState } from './state';

/** How far the whole seconds of a list and the two clocks may be off. */
const ABOUT_MS = 2000;
/** Without a list of channels nothing says that a caller is gone whose hang-up was missed, but that nothing was heard of him so long. */
const FORGOTTEN_AFTER_MS = 4 * 60 * 60 * 1000;

export interface Found {
  readonly plan: CallPlan;
  readonly book: CallerBook;
  readonly callers: Callers;
  /** `QueueEntry`, by Uniqueid. */
  readonly entries: ReadonlyMap<string, AmiMessage>;
  /** `CoreShowChannel`, by Uniqueid; absent when it may not be asked for. */
  readonly up?: ReadonlyMap<string, AmiMessage>;
  /** Whether the phone of an agent is in use, by the list of members; `undefined`: it does not say. */
  readonly inUse: (phone: string) => boolean | undefined;
  readonly requestedAt: number;
  /** Until then everything was heard, by the PBX's clock; `undefined`: nothing was known before. */
  readonly knownUntil: number | undefined;
  readonly heard: Heard;
}

/** Compares the callers of queues with the lists: tells what happened while nothing was heard, and nothing twice. */
export function compareCallers(found: Found): void {
  const { book, entries, up, requestedAt } = found;
  for (const caller of book.all()) {
    // A caller with an event since the lists were requested may be newer than they are.
    if (caller.seenAt >= requestedAt) continue;
    const last = lastKnown(found, caller);
    compareStay(found, caller, last);
    compareTalks(found, caller, last);
    if (up ? !up.has(caller.id) : isForgotten(found, caller)) found.callers.gone(caller, last);
  }
  for (const [id, row] of entries) takeUp(found, row, up?.get(id));
}

/**
 * What ended unheard ends when it was last known to go on: the hours of an outage are nobody's wait and nobody's conversation, and would
 * be that in the statistics.
 */
function lastKnown({ heard, knownUntil = -Infinity }: Found, caller: CallerState): Heard {
  return { ...heard, t: Math.min(heard.t, Math.max(knownUntil, seenAt(heard, caller))) };
}

/** When he was last heard of, by the PBX's clock. */
const seenAt = ({ at, t }: Heard, caller: CallerState): number => caller.seenAt + t - at;

const isLongSilent = ({ heard }: Found, caller: CallerState): boolean => caller.seenAt < heard.at - FORGOTTEN_AFTER_MS;

const isForgotten = (found: Found, caller: CallerState): boolean =>
  !found.entries.has(caller.id) &&
  Object.values(caller.talks).every(({ ended }) => ended) &&
  isLongSilent(found, caller);

function compareStay(found: Found, caller: CallerState, last: Heard): void {
  const { callers, entries, up, heard, requestedAt } = found;
  const { stay } = caller;
  if (!stay || stay.ended) return;
  const open = Object.values(stay.offers).filter(({ closed }) => closed === undefined);
  if (queueOf(entries.get(caller.id)) === stay.queue) {
    for (const offer of open)
      if (offer.seenAt < requestedAt && up && !up.has(offer.legId))
        callers.cancel(caller, stay, offer, 'unknown', last);
    return;
  }
  const answered = open.find((offer) => has(found, caller, offer));
  if (answered) callers.answered(caller, stay, answered, heard);
  else callers.endUnheard(caller, stay, last);
}

function compareTalks(found: Found, caller: CallerState, last: Heard): void {
  const { callers, up, heard, inUse } = found;
  for (const talk of Object.values(caller.talks)) {
    if (talk.ended) continue;
    const said = up ? isUp(found, caller, talk) : inUse(talk.extension);
    const goesOn = said ?? !isLongSilent(found, caller);
    if (goesOn) continue;
    // Of whom nothing says anything only what was heard is known.
    const end = said === undefined ? { ...last, t: seenAt(heard, caller) } : last;
    callers.endTalk(caller, talk, caller.asked ? 'caller' : 'unknown', end);
  }
}

/**
 * Does the caller's conversation with the agent go on? Also while they are in no bridge together: the caller is put on hold, or the agent
 * asks a colleague before he hands him over.
 */
function isUp({ up, plan, entries }: Found, { id: callerId }: CallerState, { offer, extension }: TalkState): boolean {
  const own = up?.get(callerId);
  const callId = own && idIn(own, 'Linkedid');
  // Whoever waits in a queue again talks with nobody.
  if (!up || callId === undefined || entries.has(callerId)) return false;
  if (up.has(offer.legId)) return true;
  return [...up].some(
    ([id, row]) => id !== callerId && idIn(row, 'Linkedid') === callId && extensionOf(plan, row) === extension,
  );
}

/** Is the caller in a bridge with the channel that was called for the agent, or with his phone? */
function has({ up, plan }: Found, caller: CallerState, offer: OfferState): boolean {
  const bridge = bridgeOf(up?.get(caller.id));
  if (bridge === undefined) return false;
  return [...(up ?? [])].some(([id, row]) => {
    if (id === caller.id || bridgeOf(row) !== bridge) return false;
    return id === offer.legId || extensionOf(plan, row) === (offer.takenBy ?? offer.phone);
  });
}

function extensionOf(plan: CallPlan, row: AmiMessage): string | undefined {
  const context = { context: row.get('Context') ?? '', ownNumber: textIn(row, 'CallerIDNum'), hasJustBegun: false };
  const { kind, party } = classify(plan, row.get('Channel') ?? '', context);
  return kind === 'extension' ? party : undefined;
}

const queueOf = (row: AmiMessage | undefined): string | undefined => row && textIn(row, 'Queue');
const bridgeOf = (row: AmiMessage | undefined): string | undefined => row && idIn(row, 'BridgeId');

/** A caller who waits and is not known. The row of his channel tells which call he belongs to. */
function takeUp(
  { book, callers, knownUntil, heard, requestedAt }: Found,
  entry: AmiMessage,
  row: AmiMessage | undefined,
): void {
  const queue = textIn(entry, 'Queue');
  const caller = book.get(idIn(entry, 'Uniqueid'));
  const stay = caller?.stay;
  if (queue === undefined || (stay && !stay.ended && stay.queue === queue)) return;
  if (caller && caller.seenAt >= requestedAt) return;
  const joinedAt = heard.t - (numberIn(entry, 'Wait') ?? 0) * 1000;
  const isNews = knownUntil !== undefined && joinedAt > knownUntil - ABOUT_MS;
  callers.found(row ?? entry, { queue, joinedAt, isNews, position: numberIn(entry, 'Position') }, heard);
}
