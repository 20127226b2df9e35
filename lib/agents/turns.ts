import { agentError } from './errors';

/** So many at once; the others wait, in their order. */
export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.free = atOnce;
  }

  /** Resolves when it is one's turn; each one that got it must {@link leave}. Rejects with `AGENT_BUSY` when so many wait already. */
  take(mostWaiting: number): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    if (this.waiting.length >= mostWaiting) return Promise.reject(agentError('AGENT_BUSY'));
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}
