import type { Attempt, AttemptPhase, AttemptResult, DialLine } from './types';

interface Followed {
  readonly result: Promise<AttemptResult>;
  onPhase: (phase: AttemptPhase) => void;
}

/** Of one line; the oldest is forgotten beyond it, and is then taken up over the PBX. */
const MAX_FOLLOWED = 4096;

/**
 * The tries that this process follows, by their line. A line outlives the dialler that dialled over it when only its node is deployed
 * anew: the next dialler then hears how the try ended even if that was in between.
 */
const byLine = new WeakMap<DialLine, Map<string, Followed>>();

function triesOf(line: DialLine): Map<string, Followed> {
  const known = byLine.get(line);
  if (known) return known;
  const tries = new Map<string, Followed>();
  byLine.set(line, tries);
  return tries;
}

/** Dials, and remembers who listens until {@link forget}. */
export function follow(
  line: DialLine,
  attempt: Attempt,
  onPhase: (phase: AttemptPhase) => void,
): Promise<AttemptResult> {
  const tries = triesOf(line);
  const [oldest] = tries.keys();
  if (oldest !== undefined && tries.size >= MAX_FOLLOWED) tries.delete(oldest);
  // The line may tell a phase before it has returned.
  const listener = { onPhase };
  const result = line.dial(attempt, (phase) => listener.onPhase(phase));
  tries.set(attempt.channelId, Object.assign(listener, { result }));
  return result;
}

/** The result of a try that this process follows already; `undefined`: it does not. */
export function followOn(
  line: DialLine,
  channelId: string,
  onPhase: (phase: AttemptPhase) => void,
): Promise<AttemptResult> | undefined {
  const followed = byLine.get(line)?.get(channelId);
  if (followed) followed.onPhase = onPhase;
  return followed?.result;
}

/** The result is on disk. */
export function forget(line: DialLine, channelId: string): void {
  byLine.get(line)?.delete(channelId);
}
