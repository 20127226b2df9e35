import { finesseError } from '../../../../lib/finesse/errors';
import type {
  DialogList,
  FinesseAgent,
  FinesseClient,
  FinesseDialog,
  FinesseParticipant,
  FinesseUser,
} from '../../../../lib/finesse/types';

type Failing = 'check' | 'dialogs' | 'makeCall' | 'drop';

/** A Finesse without a network, for tests that move the clock by hand. */
export class FakeFinesse implements FinesseClient {
  readonly host = 'finesse:8445';
  dialogList: FinesseDialog[] = [];
  /** What the next questions of a kind are answered with instead; stays until it is taken away. */
  readonly failures = new Map<Failing, Error>();
  /** What happens when an order is accepted. */
  onCall: (from: string, to: string) => void = (from, to) => this.begin(from, to);
  readonly asked: Record<Failing, number> = { check: 0, dialogs: 0, makeCall: 0, drop: 0 };
  servedAt: (() => number) | undefined;
  isClosed = false;

  async check(): Promise<void> {
    await this.does('check');
  }

  user(): Promise<FinesseUser> {
    return Promise.resolve({ state: 'NOT_READY', extension: '1001' });
  }

  async dialogs({ extension }: FinesseAgent): Promise<DialogList> {
    await this.does('dialogs');
    return {
      dialogs: this.dialogList.filter(({ from, to }) => from === extension || to === extension),
      ...(this.servedAt === undefined ? {} : { servedAt: this.servedAt() }),
    };
  }

  async makeCall(agent: FinesseAgent, to: string): Promise<void> {
    const failure = this.failures.get('makeCall');
    // An answer that is lost is lost after the work.
    if (failure === undefined || (failure as { code?: string }).code === 'FINESSE_TIMEOUT') {
      this.onCall(agent.extension, to);
    }
    await this.does('makeCall');
  }

  async drop(_agent: FinesseAgent, dialogId: string): Promise<void> {
    await this.does('drop');
    this.dialogList = this.dialogList.filter(({ id }) => id !== dialogId);
  }

  close(): void {
    this.isClosed = true;
  }

  begin(from: string, to: string, startedAt?: number): void {
    const id = `d${this.dialogList.length + 1}`;
    const leg = { address: from, state: 'INITIATING', ...(startedAt === undefined ? {} : { startedAt }) };
    this.dialogList.push({ id, from, to, dialled: to, state: 'INITIATING', participants: [leg] });
  }

  /** Moves the call that began last: its state, the agent's leg, the client's leg (absent: no participant), the cause. */
  move(state: string, agent: string, client?: string, cause?: string): void {
    const dialog = this.dialogList.pop();
    if (!dialog) throw new Error('there is no call');
    const [own] = dialog.participants as [FinesseParticipant];
    const legs = [{ ...own, state: agent, ...(cause === undefined ? {} : { cause }) }];
    if (client !== undefined) legs.push({ address: dialog.to, state: client });
    this.dialogList.push({ ...dialog, state, participants: legs });
  }

  gone(): void {
    this.dialogList.pop();
  }

  private async does(what: Failing): Promise<void> {
    this.asked[what] += 1;
    await Promise.resolve();
    const failure = this.failures.get(what);
    if (failure) throw failure;
  }
}

export const timeout = finesseError('FINESSE_TIMEOUT', { host: 'finesse:8445', ms: 5000 });
