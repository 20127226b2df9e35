import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import { numberKey } from '../phone';
import { asCrmError, crmError } from './errors';
import type { Health } from './health';
import { bounded, type AnswerMemory } from './memory';
import type { Requests } from './requests';
import type { CrmAdapter, CrmAnswer, PhoneNumber } from './types';

export interface AccountLookup {
  readonly answer: CrmAnswer;
  /** `stale`: remembered longer than it should be, given because the CRM failed or was late. */
  readonly from: 'crm' | 'cache' | 'stale';
}

export interface LookupsDeps {
  readonly clock: Clock;
  readonly memory: AnswerMemory;
  readonly adapter: Pick<CrmAdapter, 'findByPhone'>;
  readonly health: Health;
  readonly requests: Requests;
}

/** One question about one number under way, and who waits for it. */
interface Flight {
  readonly answer: Promise<CrmAnswer>;
  readonly startedAt: number;
  /** The latest deadline of its askers, monotonic. */
  until: number;
  /** The last asker gave up: the answer still fills the memory, but the CRM was too slow. */
  late: boolean;
}

/** Numbers asked for at once; far more than a CRM's limit lets through in the time of one request. */
const MAX_FLIGHTS = 500;
/** An asker with less patience than this says nothing about the speed of the CRM. */
const SLOW_MS = 1000;

/** Questions about numbers: from memory where it knows, one request for each number however many ask, a deadline for each asker. */
export class Lookups {
  readonly counts = { lookups: 0, fromCache: 0, fromStale: 0, coalesced: 0 };
  private readonly flights = new Map<string, Flight>();

  constructor(private readonly deps: LookupsDeps) {}

  get inFlight(): number {
    return this.flights.size;
  }

  /** See {@link CrmAccount.lookup}. */
  async lookup(phone: PhoneNumber, deadlineMs: number): Promise<AccountLookup> {
    const { memory } = this.deps;
    this.counts.lookups += 1;
    const key = String(numberKey(phone));
    const known = memory.fresh(key);
    if (known !== undefined) {
      this.counts.fromCache += 1;
      return { answer: known, from: 'cache' };
    }
    const stale = memory.stale(key);
    try {
      // With something to fall back on there is no need to use up the last moment.
      const patience = stale === undefined ? deadlineMs : deadlineMs - Math.min(200, deadlineMs / 4);
      const flight = this.join(key, deadlineMs) ?? this.start(key, phone, deadlineMs);
      return { answer: await this.wait(flight, patience), from: 'crm' };
    } catch (thrown) {
      const error = asCrmError(thrown);
      if (stale === undefined || error.code === 'CRM_CLOSED') throw error;
      this.counts.fromStale += 1;
      return { answer: stale, from: 'stale' };
    }
  }

  private join(key: string, deadlineMs: number): Flight | undefined {
    const flight = this.flights.get(key);
    if (flight === undefined) return undefined;
    this.counts.coalesced += 1;
    flight.until = Math.max(flight.until, this.deps.clock.monotonic() + deadlineMs);
    return flight;
  }

  private start(key: string, phone: PhoneNumber, deadlineMs: number): Flight {
    const { adapter, clock, health, memory, requests } = this.deps;
    if (this.flights.size >= MAX_FLIGHTS) throw crmError('CRM_LIMITED', { retryAfterMs: 1000 });
    health.admit();
    const startedAt = clock.monotonic();
    // A turn later than that would bring the answer too late, and waiting for it would look like a slow CRM.
    const deadline = startedAt + deadlineMs / 2;
    const answer = requests.within(async (context) => {
      const find = () => adapter.findByPhone(phone, { ...context, deadline });
      return bounded(await requests.trying(find, context.signal, () => flight.until));
    });
    const flight: Flight = { answer, startedAt, until: startedAt + deadlineMs, late: false };
    this.flights.set(key, flight);
    answer.then(
      (found) => {
        this.flights.delete(key);
        memory.put(key, found);
        this.landed(flight, undefined);
      },
      (error: unknown) => {
        this.flights.delete(key);
        this.landed(flight, asCrmError(error));
      },
    );
    return flight;
  }

  /** Waits for a flight as long as this asker can; the flight goes on without him. */
  private wait(flight: Flight, patienceMs: number): Promise<CrmAnswer> {
    const { clock } = this.deps;
    return new Promise((resolve, reject) => {
      const timer = clock.after(patienceMs, () => {
        this.gaveUp(flight);
        reject(crmError('CRM_TIMEOUT', { ms: Math.round(patienceMs) }));
      });
      flight.answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  private gaveUp(flight: Flight): void {
    const now = this.deps.clock.monotonic();
    const someoneWaits = now < flight.until - 200;
    if (flight.late || someoneWaits || now - flight.startedAt < SLOW_MS) return;
    flight.late = true;
    this.deps.health.lookupFailed(crmError('CRM_TIMEOUT', { ms: Math.round(now - flight.startedAt) }));
  }

  private landed(flight: Flight, error: TelephonyError | undefined): void {
    // A late flight has already been counted as a failure of the CRM.
    if (flight.late) return;
    if (error === undefined) this.deps.health.succeeded();
    else this.deps.health.lookupFailed(error);
  }
}
