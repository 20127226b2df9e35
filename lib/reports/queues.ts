import type { KeptFact, Store } from '../store/types';
import { Groups } from './groups';
import type { Tally } from './groups';
import { Periods } from './local-times';
import { percent, Spread } from './spread';
import type { Found, ReportQuery, ReportRow } from './types';
import { factsOf } from './walk';

/** One queue in one period. */
class QueueTally implements Tally {
  private answeredInTime = 0;
  private timedOut = 0;
  private readonly waits = new Spread();
  private readonly answers = new Spread();
  private readonly abandons = new Spread();
  private readonly talks = new Spread();

  constructor(private readonly serviceSeconds: number) {}

  stay({ outcome, seconds }: KeptFact): void {
    this.waits.add(seconds);
    if (outcome === 'timeout') this.timedOut += 1;
    if (outcome === 'abandoned') this.abandons.add(seconds);
    if (outcome !== 'answered') return;
    this.answers.add(seconds);
    if (seconds <= this.serviceSeconds) this.answeredInTime += 1;
  }

  talk({ seconds }: KeptFact): void {
    this.talks.add(seconds);
  }

  row(): ReportRow {
    const { waits, answers, abandons, talks, timedOut, answeredInTime } = this;
    return {
      offered: waits.count,
      answered: answers.count,
      abandoned: abandons.count,
      timedOut,
      left: waits.count - answers.count - abandons.count - timedOut,
      answeredInTime,
      serviceLevelPercent: percent(answeredInTime, waits.count),
      waitMeanSeconds: waits.mean,
      waitP95Seconds: waits.p95,
      waitLongestSeconds: waits.longest,
      answeredAfterMeanSeconds: answers.mean,
      abandonedAfterMeanSeconds: abandons.mean,
      talks: talks.count,
      talkMeanSeconds: talks.mean,
      talkP95Seconds: talks.p95,
      talkLongestSeconds: talks.longest,
    };
  }
}

/** What became of the calls in each queue: a stay counts where it began, a conversation where it began. */
export async function queueRows(store: Store, query: ReportQuery): Promise<Found> {
  const { by, timeZone, serviceSeconds, queues } = query;
  const groups = new Groups(() => new QueueTally(serviceSeconds));
  const periods = new Periods(by, timeZone);
  for (const kind of ['stay', 'talk'] as const) {
    for await (const facts of factsOf(store, kind, query)) {
      for (const fact of facts) {
        const { queue, pbx } = fact;
        if (queue === undefined || (queues && !queues.includes(queue))) continue;
        groups.count(periods.labelAt(fact.at), { pbx, name: queue }, (tally) => tally[kind](fact));
      }
    }
  }
  return groups.found('queue', by !== 'none');
}
