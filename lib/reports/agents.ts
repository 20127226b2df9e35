import type { KeptFact, QueueOutcome, Store } from '../store/types';
import { Groups, keyOf } from './groups';
import type { Tally } from './groups';
import { Periods } from './local-times';
import { Shifts } from './shifts';
import type { Shift } from './shifts';
import { percent, Spread } from './spread';
import type { Found, ReportQuery, ReportRow } from './types';
import { factsOf, ownTurn } from './walk';

/** So far back a log-in or a pause is looked for that lasts into the report. */
const LOOK_BACK_MS = 7 * 24 * 60 * 60 * 1000;

/** Parts of shifts that are counted in a turn of the event loop: about a millisecond. */
const PARTS_AT_ONCE = 500;

/** One agent in one period. */
class AgentTally implements Tally {
  private readonly outcomes = new Map<QueueOutcome, number>();
  private answeredInTime = 0;
  private knownWaits = 0;
  private readonly rings = new Spread();
  private readonly waits = new Spread();
  private readonly talks = new Spread();
  private readonly dialouts = new Spread();
  private dialled = 0;
  private readonly states: Partial<Record<Shift['state'], number>> = {};

  constructor(
    private readonly serviceSeconds: number,
    /** Calls that agents make belong to no queue: a report of some queues cannot count them. */
    private readonly withCallsOut: boolean,
    private readonly nameOf: () => string | undefined,
  ) {}

  ring({ outcome, seconds, wait }: KeptFact): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    this.rings.add(seconds);
    if (outcome !== 'answered' || wait === undefined) return;
    this.knownWaits += 1;
    this.waits.add(wait);
    if (wait <= this.serviceSeconds) this.answeredInTime += 1;
  }

  talk({ seconds }: KeptFact): void {
    this.talks.add(seconds);
  }

  dialout({ seconds, outcome }: KeptFact): void {
    this.dialled += 1;
    if (outcome === 'answered') this.dialouts.add(seconds);
  }

  stand(state: Shift['state'], ms: number): void {
    this.states[state] = (this.states[state] ?? 0) + ms;
  }

  row(): ReportRow {
    const { rings, waits, talks, dialouts, answeredInTime, states } = this;
    const count = (outcome: QueueOutcome): number => this.outcomes.get(outcome) ?? 0;
    const seconds = (ms: number | undefined): number | undefined =>
      ms === undefined ? undefined : Math.round(ms / 1000);
    const counted = {
      offered: rings.count,
      answered: count('answered'),
      abandoned: count('abandoned'),
      timedOut: count('no-answer'),
      busy: count('busy'),
      declined: count('declined'),
      answeredElsewhere: count('answered-elsewhere'),
      unknown: count('other'),
    };
    return {
      name: this.nameOf(),
      ...counted,
      answeredInTime,
      serviceLevelPercent: percent(answeredInTime, this.knownWaits),
      ringMeanSeconds: rings.mean,
      ringP95Seconds: rings.p95,
      ringLongestSeconds: rings.longest,
      waitMeanSeconds: waits.mean,
      waitP95Seconds: waits.p95,
      waitLongestSeconds: waits.longest,
      talks: talks.count,
      talkSeconds: talks.total,
      talkMeanSeconds: talks.mean,
      talkP95Seconds: talks.p95,
      talkLongestSeconds: talks.longest,
      ...(this.withCallsOut
        ? { callsOut: this.dialled, callsOutAnswered: dialouts.count, callsOutTalkSeconds: dialouts.total }
        : {}),
      loggedInSeconds: seconds(states.loggedIn),
      pausedSeconds: seconds(states.paused),
    };
  }
}

/** What became of the calls that rang with each agent, and how long each was there. */
export async function agentRows(store: Store, query: ReportQuery, now: number): Promise<Found> {
  const { from, to, by, timeZone, serviceSeconds, queues, agents } = query;
  const names = new Map<string, string>();
  const groups = new Groups((whose) => new AgentTally(serviceSeconds, !queues, () => whose && names.get(keyOf(whose))));
  const fits = ({ agent, queue }: KeptFact): boolean =>
    (!agents || (agent !== undefined && agents.includes(agent))) &&
    (!queues || (queue !== undefined && queues.includes(queue)));

  const periods = new Periods(by, timeZone);
  for (const kind of ['ring', 'talk', 'dialout'] as const) {
    for await (const facts of factsOf(store, kind, query)) {
      for (const fact of facts) {
        const { agent, agentName, pbx } = fact;
        if (agent === undefined || !fits(fact)) continue;
        const whose = { pbx, name: agent };
        groups.count(periods.labelAt(fact.at), whose, (tally) => tally[kind](fact));
        if (agentName !== undefined) names.set(keyOf(whose), agentName);
      }
    }
  }

  let counted = 0;
  /** One that was logged in long ago has many periods. */
  const stand = async ({ whose, state, ...shift }: Shift): Promise<void> => {
    for (const part of periods.parts(Math.max(shift.from, from), Math.min(shift.to, to))) {
      groups.count(part.label, whose, (tally) => tally.stand(state, part.to - part.from));
      counted += 1;
      if (counted % PARTS_AT_ONCE === 0) await ownTurn();
    }
  };
  const shifts = new Shifts();
  const until = Math.min(to, now);
  for await (const facts of factsOf(store, 'state', { ...query, from: from - LOOK_BACK_MS, to: until })) {
    for (const ended of facts.filter(fits).flatMap((fact) => shifts.change(fact))) await stand(ended);
  }
  for (const ended of shifts.end(until)) await stand(ended);
  return groups.found('agent', by !== 'none');
}
