import type { Attempt, AttemptPhase, AttemptResult } from '../types';
import { AttemptTracker } from './attempt';
import type { AutocallScript } from './script';

/** One try in the air: its tracker, and what is owed to whoever dialled it. */
export class Try {
  readonly tracker: AttemptTracker;
  readonly ended: Promise<AttemptResult>;
  /** Resolves when it is known whether it is alive, or gone. */
  readonly judged: Promise<void>;
  /** The Originate is on its way, or was sent by an earlier process. */
  isSent = false;
  /** Something may have happened to it unseen: only a look at all channels tells whether it is alive. */
  isUnsure = false;
  private settle!: (result: AttemptResult) => void;
  private judge!: () => void;

  constructor(
    readonly attempt: Attempt,
    onPhase: (phase: AttemptPhase) => void,
    script: AutocallScript | undefined,
  ) {
    const { channelId, order } = attempt;
    this.ended = new Promise((resolve) => (this.settle = resolve));
    this.judged = new Promise((resolve) => (this.judge = resolve));
    this.tracker = new AttemptTracker({ channelId, order, onPhase, heard: () => script?.resultOf(channelId) });
  }

  /** It is alive. */
  sure(): void {
    this.isUnsure = false;
    this.judge();
  }

  /** It is over. */
  end(result: AttemptResult): void {
    this.settle(result);
    this.sure();
  }
}
