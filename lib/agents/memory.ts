import type { Clock } from '../clock';
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

/** Extensions whose last card is known; beyond it the one that was opened the longest ago is forgotten. */
const MAX_CARDS = 2000;
/** Calls of which a queue told more than the life of calls does; beyond it the oldest are forgotten. */
const MAX_QUEUE_CALLS = 2000;
/** Calls in which a colleague is consulted; beyond it the oldest are forgotten. */
const MAX_CONSULTATIONS = 2000;
/** After a call the card stays for the work on it, in ms. */
const WRAP_UP_MS = 15 * 60_000;

/** What a desk knows that nobody else does: kept while its node is redeployed, so that pages miss nothing and see nothing twice. */
export class DeskMemory {
  readonly feed = new Feed();
  /** What `stream` tells. */
  readonly bare = new Feed();
  readonly signIn: SignInMemory;
  private readonly cards = new Map<string, { readonly pop: Pop; until?: number }>();
  private readonly queueCalls = new Map<string, PopVariables>();
  private readonly consultations = new Map<string, true>();

  constructor(clock: Clock) {
    this.signIn = new SignInMemory(clock);
  }

  /** `now`: monotonic ms. */
  opened(extension: string, pop: Pop, now: number): void {
    put(this.cards, extension, pop.legId === undefined ? { pop, until: now + WRAP_UP_MS } : { pop }, MAX_CARDS);
  }

  callEnded(extension: string, legId: string, now: number): void {
    this.consultations.delete(legId);
    const card = this.cards.get(extension);
    if (card?.pop.legId === legId) card.until ??= now + WRAP_UP_MS;
  }

  /** The card that who opens the page now is to see. */
  cardOf(extension: string, now: number): Pop | undefined {
    const card = this.cards.get(extension);
    return card && (card.until ?? Infinity) > now ? card.pop : undefined;
  }

  /** The client of this leg waits while the agent talks to a colleague, or no more. */
  consults(legId: string, begun: boolean): void {
    if (begun) put(this.consultations, legId, true, MAX_CONSULTATIONS);
    else this.consultations.delete(legId);
  }

  isConsulting(legId: string): boolean {
    return this.consultations.has(legId);
  }

  queueTold(callId: string, variables: PopVariables): void {
    put(this.queueCalls, callId, { ...this.queueCalls.get(callId), ...variables }, MAX_QUEUE_CALLS);
  }

  queueVariables(callId: string): PopVariables | undefined {
    return this.queueCalls.get(callId);
  }
}

/** Puts it at the end, and lets the first one go where there are too many. */
function put<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
