import type { Clock } from '../clock';
import { controlError } from './errors';
import { OneByOne } from './one-by-one';

/** More than one Asterisk has agents, or calls. */
const MAX_LINES = 2000;

interface Line {
  readonly orders: OneByOne;
  open: number;
}

/**
 * Orders in lines by what they are about (an extension, a call): those in one line go one after the other, those in different ones at
 * once, as at the start of a shift. A line without orders is forgotten.
 */
export class OrderLines {
  private readonly lines = new Map<string, Line>();
  private isClosed = false;

  constructor(private readonly clock: Clock) {}

  /** Rejects as {@link OneByOne.run}, and with `CONTROL_BUSY` for one line too many. `orderedAt`: monotonic ms; default: now. */
  async run<T>(name: string, carryOut: () => Promise<T>, orderedAt = this.clock.monotonic()): Promise<T> {
    if (this.isClosed) throw controlError('CONTROL_STOPPED');
    const line = this.lineOf(name);
    line.open += 1;
    try {
      return await line.orders.run(carryOut, orderedAt);
    } finally {
      line.open -= 1;
      if (line.open === 0) this.lines.delete(name);
    }
  }

  /** A look beside the lines: it changes nothing, so that nobody need wait for it. */
  look<T>(carryOut: () => Promise<T>): Promise<T> {
    return this.isClosed ? Promise.reject(controlError('CONTROL_STOPPED')) : carryOut();
  }

  /** What is under way goes on to its end; what waits is refused. */
  close(): void {
    this.isClosed = true;
    for (const { orders } of this.lines.values()) orders.close();
  }

  private lineOf(name: string): Line {
    const known = this.lines.get(name);
    if (known) return known;
    if (this.lines.size >= MAX_LINES) throw controlError('CONTROL_BUSY', { count: this.lines.size });
    const line = { orders: new OneByOne(this.clock), open: 0 };
    this.lines.set(name, line);
    return line;
  }
}
