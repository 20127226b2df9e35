import type { AmiClient, AmiMessage } from '../../ami/types';
import type { Clock, Timer } from '../../clock';
import { lineError } from './errors';

/** An answer that is older proves nothing: Asterisk may have frozen since. */
const FRESH_MS = 1000;
const PING_WITHIN_MS = 2000;
const AGAIN_MS = 1000;
/** So often is it asked what time it has, however many calls it answers in between: somebody may set its clock. */
const LEARN_MS = 60_000;

/**
 * Knows whether Asterisk answers at this very moment. A frozen one must not get an Originate: it would carry it out when it thaws,
 * when nobody wants the call any more.
 */
export class Pulse {
  private answeredAt = -Infinity;
  private session = -1;
  private asking: Promise<void> | undefined;
  private again: Timer | undefined;
  private isStuck = false;
  /** The clock of the PBX less our steady clock, which nobody sets: `undefined` before the first answer that tells it. */
  private pbxOffset: number | undefined;
  private learntAt = -Infinity;
  /** The session of the link in which it was: the one after it may be another PBX. */
  private learntIn = -1;
  private isClosed = false;

  /** @param onChange {@link isAlive} may be another */
  constructor(
    private readonly client: AmiClient,
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {}

  /** The link is up, and no question waits in vain. */
  get isAlive(): boolean {
    return !this.isStuck && !this.isClosed && this.client.state.phase === 'ready';
  }

  /** A moment of our wall clock by that of the PBX, as near as its answers tell. */
  pbxTime(ms: number): number {
    if (this.pbxOffset === undefined) return ms;
    return ms - this.clock.now() + this.clock.monotonic() + this.pbxOffset;
  }

  /** An action was answered. */
  beat(): void {
    this.session = this.client.state.session;
    this.answeredAt = this.clock.monotonic();
  }

  /** Resolves at once when it answered within the last second (and a ping in this session, within the last minute), else when it answers a ping; rejects when it does not. */
  async ensure(): Promise<void> {
    const isSame = this.session === this.client.state.session && this.client.state.phase === 'ready';
    const now = this.clock.monotonic();
    const hasLearnt = this.learntIn === this.session && now - this.learntAt <= LEARN_MS;
    if (isSame && hasLearnt && now - this.answeredAt <= FRESH_MS) return;
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    await this.asking;
  }

  /** The link is another one, or gone: what was asked of the old one says nothing. */
  linkChanged(): void {
    this.again?.cancel();
    this.isStuck = false;
  }

  close(): void {
    this.isClosed = true;
    this.again?.cancel();
  }

  private async ask(): Promise<void> {
    try {
      const sentAt = this.clock.monotonic();
      const answer = await this.client.action({ action: 'Ping' }, { timeoutMs: PING_WITHIN_MS });
      this.learnTime(answer, sentAt);
      this.beat();
      this.stuck(false);
    } catch (thrown) {
      this.stuck(true);
      throw this.client.state.phase === 'ready' ? lineError('LINE_SILENT', {}, thrown) : thrown;
    }
  }

  /** Of a stuck one the link itself notices in time that it is gone; until then it is asked again. */
  private stuck(isStuck: boolean): void {
    // A link that is down has its own news when it is up again.
    if (this.isClosed || this.client.state.phase !== 'ready') return;
    this.again?.cancel();
    if (isStuck) this.again = this.clock.after(AGAIN_MS, () => void this.ensure().catch(() => undefined));
    if (this.isStuck === isStuck) return;
    this.isStuck = isStuck;
    this.onChange();
  }

  /** The answer to a ping has a Timestamp (16 to 22): half of the way there and back is the best guess. */
  private learnTime(answer: AmiMessage, sentAt: number): void {
    const stamp = answer.get('Timestamp') ?? '';
    const now = this.clock.monotonic();
    this.learntAt = now;
    this.learntIn = this.client.state.session;
    if (/^\d{9,11}(\.\d{1,9})?$/.test(stamp)) this.pbxOffset = Number(stamp) * 1000 - (sentAt + now) / 2;
  }
}
