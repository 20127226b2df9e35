import type { Clock } from '../clock';
import type { TelephonyError } from '../errors';
import type { Lookup } from './lookup';
import type { LookupResult } from './types';

/** What the flow is told when the question could not be asked, or its answer not be waited for. */
function failed(error: TelephonyError, tookMs: number): LookupResult {
  const told = { code: error.code, message: error.message };
  return { contact: { found: false, outcome: 'error', entities: [], error: told, tookMs }, error };
}

/** A lookup that cannot ask anybody: every question is answered with the reason at once. */
export const refusingLookup = (why: TelephonyError): Lookup => ({ lookup: () => Promise.resolve(failed(why, 0)) });

/** A lookup whose open questions can be ended at once, so that no caller waits for a flow that is going away. */
export class StoppableLookup implements Lookup {
  /** As many as there are questions under way; each ends by its own deadline. */
  private readonly open = new Set<(why: TelephonyError) => void>();

  constructor(
    private readonly lookups: Lookup,
    private readonly clock: Clock,
  ) {}

  lookup(phone: string): Promise<LookupResult> {
    const asked = this.clock.monotonic();
    return new Promise((resolve, reject) => {
      const stop = (why: TelephonyError): void => resolve(failed(why, Math.round(this.clock.monotonic() - asked)));
      this.open.add(stop);
      this.lookups
        .lookup(phone)
        .then(resolve, reject)
        .finally(() => this.open.delete(stop));
    });
  }

  /** Answers everything that is open with outcome `error` and this reason. */
  stop(why: TelephonyError): void {
    for (const stop of this.open) stop(why);
  }
}
