import type { Clock } from '../clock';
import { asError } from '../errors';
import { numberKey } from '../phone';
import { cannotCreate, crmError } from './errors';
import { bounded, type AnswerMemory } from './memory';
import type { CallContext, ClientWish, CrmAdapter, CrmAnswer, PhoneNumber } from './types';

/** Who is known by the number now, and whether he was made by this very question. */
export interface Creation {
  readonly answer: Extract<CrmAnswer, { found: true }>;
  readonly created: boolean;
}

export interface CreatingDeps {
  readonly clock: Clock;
  readonly memory: AnswerMemory;
  readonly adapter: Pick<CrmAdapter, 'findByPhone' | 'createClient'>;
  /** Runs a request of the account within the account's own bound of time, and until the account closes. */
  readonly run: <T>(work: (context: CallContext) => Promise<T>) => Promise<T>;
}

/** "Not found" that the CRM said so lately is taken for true; an older one is asked again, since a person may have been faster. */
const JUST_SAID_MS = 5000;
/** Numbers for which a client is being made at once; who comes then is not made this time. */
const MAX_FLIGHTS = 100;

/**
 * Makes clients of unknown numbers: one at a time for each number, for all callers together. What was begun goes on when nobody waits any more,
 * because a request that is broken off may have done its work.
 */
export class Creating {
  private readonly flights = new Map<string, Promise<Creation>>();

  constructor(private readonly deps: CreatingDeps) {}

  /** See {@link CrmAccount.create}. */
  create(phone: PhoneNumber, wish: ClientWish, deadlineMs: number): Promise<Creation> {
    const key = String(numberKey(phone));
    const flight = this.flights.get(key) ?? this.start(key, phone, wish);
    return this.within(flight, deadlineMs);
  }

  private start(key: string, phone: PhoneNumber, wish: ClientWish): Promise<Creation> {
    const { adapter, run } = this.deps;
    if (adapter.createClient === undefined) return Promise.reject(cannotCreate(wish.type));
    if (this.flights.size >= MAX_FLIGHTS) return Promise.reject(crmError('CRM_LIMITED', { retryAfterMs: 1000 }));
    const flight = run((context) => this.make(key, phone, wish, context)).finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private async make(key: string, phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<Creation> {
    const { adapter, memory } = this.deps;
    const known = memory.fresh(key);
    if (known?.found) return { answer: known, created: false };
    if (known === undefined || (memory.ageOf(key) ?? Infinity) > JUST_SAID_MS) {
      const answer = bounded(await adapter.findByPhone(phone, context));
      memory.put(key, answer);
      if (answer.found) return { answer, created: false };
    }
    // An answer that never came may hide a client that was made: the next question asks the CRM before it makes another.
    memory.forget(key);
    const entity = await adapter.createClient?.(phone, wish, context);
    if (entity === undefined) throw cannotCreate(wish.type);
    const ownerId = entity.ownerId ?? wish.ownerId;
    const name = entity.name ?? wish.name ?? '';
    const owner = ownerId === undefined ? {} : { owner: { id: ownerId } };
    const answer = bounded({ found: true, name, entities: [entity], ...owner }) as Creation['answer'];
    memory.put(key, answer);
    return { answer, created: true };
  }

  private within(flight: Promise<Creation>, deadlineMs: number): Promise<Creation> {
    return new Promise((resolve, reject) => {
      const late = () => reject(crmError('CRM_TIMEOUT', { ms: Math.round(deadlineMs) }));
      const timer = this.deps.clock.after(deadlineMs, late);
      flight.then(resolve, (thrown: unknown) => reject(asError(thrown))).finally(() => timer.cancel());
    });
  }
}
