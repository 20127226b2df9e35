import type { Clock, Timer } from '../clock';

/** Bounds how much is done in one turn of the event loop, so that whatever else runs in the process has its turn between. */
export class Turn {
  private count = 0;
  private next: Timer | undefined;

  constructor(
    private readonly most: number,
    private readonly clock: Clock,
    /** Called in the next turn after one in which something was done. */
    private readonly onNext: () => void,
  ) {}

  get isOver(): boolean {
    return this.count >= this.most;
  }

  /** One more was done. */
  spend(): void {
    this.count += 1;
    this.next ??= this.clock.after(0, () => {
      this.next = undefined;
      this.count = 0;
      this.onNext();
    });
  }

  close(): void {
    this.next?.cancel();
  }
}
