import type { Clock } from '../clock';
import type { CallMessage, CallPayload } from '../messages/types';
import { Feed } from './feed';
import type { PopVariables } from './pop-url';
import { SignInMemory } from './sign-in';

/** What a page is to open. */
export interface Pop {
  /** The same for the same card of the same call, however often it is told. */
  readonly id: string;
  readonly url: string;
  /** In a tab of its own: the page may not frame it, or the admin wants it so. */
  readonly tab: boolean;
  readonly legId?: string;
}

type Leg = Pick<CallPayload, 'callId' | 'legId'>;

/** Extensions whose last card is known; beyond it the one that was opened the longest ago is forgotten. */
const MAX_CARDS = 2000;
/** Calls of which a queue told more than the life of calls does; beyond it the oldest are forgotten. */
const MAX_QUEUE_CALLS = 2000;
/** Calls in which a colleague is consulted; beyond it the oldest are forgotten. */
const MAX_CONSULTATIONS = 2000;
/** Calls whose client a flow has named; beyond it the oldest are forgotten. */
const MAX_NAMES = 2000;
/** After a call the card stays for the work on it, in ms. */
const WRAP_UP_MS = 15 * 60_000;

/** `over` before it was known to have begun: Asterisk may tell its end before the order for it is known to be done. */
type Consultation = 'asked' | 'begun' | 'over';

/** What a desk knows that nobody else does: kept while its node is redeployed, so that pages miss nothing and see nothing twice. */
export class DeskMemory {
  readonly feed = new Feed();
  /** What `stream` tells. */
  readonly bare = new Feed();
  readonly signIn: SignInMemory;
  private readonly cards = new Map<string, { readonly pop: Pop; until?: number }>();
  private readonly queueCalls = new Map<string, PopVariables>();
  private readonly consultations = new Map<string, Consultation>();
  private readonly names = new Map<string, string>();

  constructor(clock: Clock) {
    this.signIn = new SignInMemory(clock);
  }

  /** `now`: monotonic ms. */
  opened(extension: string, pop: Pop, now: number): void {
    put(this.cards, extension, pop.legId === undefined ? { pop, until: now + WRAP_UP_MS } : { pop }, MAX_CARDS);
  }

  callEnded(extension: string, { callId, legId = callId }: Leg, now: number): void {
    this.consultations.delete(legId);
    const card = this.cards.get(extension);
    // A flow may have opened it for the call, without saying on which of its legs the agent is.
    if (card && [legId, callId].includes(card.pop.legId ?? '')) card.until ??= now + WRAP_UP_MS;
  }

  /** What lives now, of every agent: the end of another call was not heard. Without `of`, all cards are looked at. */
  listed(current: readonly CallMessage[], now: number, of?: string): void {
    const live = new Set(current.flatMap(({ payload: { callId, legId = callId } }) => [legId, callId]));
    for (const [extension, card] of this.cards) {
      const { legId } = card.pop;
      if (legId === undefined || live.has(legId) || (of !== undefined && of !== extension)) continue;
      card.until ??= now + WRAP_UP_MS;
    }
  }

  /** The card that who opens the page now is to see. */
  cardOf(extension: string, now: number): Pop | undefined {
    const card = this.cards.get(extension);
    return card && (card.until ?? Infinity) > now ? card.pop : undefined;
  }

  /** An agent wants his client to wait while he talks to a colleague. */
  consultationAsked(legId: string): void {
    if (!this.isConsulting(legId)) put(this.consultations, legId, 'asked', MAX_CONSULTATIONS);
  }

  /** What was asked for is done; it may be over by now. */
  consultationBegun(legId: string): void {
    if (this.consultations.get(legId) === 'over') this.consultations.delete(legId);
    else put(this.consultations, legId, 'begun', MAX_CONSULTATIONS);
  }

  /** What was asked for failed; what had begun before goes on. */
  consultationFailed(legId: string): void {
    if (!this.isConsulting(legId)) this.consultations.delete(legId);
  }

  consultationOver(legId: string): void {
    this.consultations.delete(legId);
  }

  /**
   * The PBX told that the client of this leg waits, or that the leg has him again. Giving the phone what it needs to consult may put him
   * aside and back again before he waits for the colleague: what was told last counts.
   */
  clientWaits(legId: string, waits: boolean): void {
    const known = this.consultations.get(legId);
    if (known === 'begun') {
      if (!waits) this.consultations.delete(legId);
    } else if (known !== undefined) this.consultations.set(legId, waits ? 'asked' : 'over');
  }

  isConsulting(legId: string): boolean {
    return this.consultations.get(legId) === 'begun';
  }

  /** A flow said who the client of an agent's call is. */
  named(extension: string, callId: string, name: string): void {
    put(this.names, keyOf(extension, callId), name, MAX_NAMES);
  }

  nameOf(extension: string, callId: string): string | undefined {
    return this.names.get(keyOf(extension, callId));
  }

  queueTold(callId: string, variables: PopVariables): void {
    put(this.queueCalls, callId, { ...this.queueCalls.get(callId), ...variables }, MAX_QUEUE_CALLS);
  }

  queueVariables(callId: string): PopVariables | undefined {
    return this.queueCalls.get(callId);
  }
}

const keyOf = (extension: string, callId: string): string => `${extension}\n${callId}`;

/** Puts it at the end, and lets the first one go where there are too many. */
function put<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
