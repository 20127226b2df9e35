import type { Clock } from '../clock';
import { controlError } from './errors';
import { OneByOne } from './one-by-one';

/** More agents than one Asterisk has. */
const MAX_EXTENSIONS = 2000;

interface Line {
  readonly orders: OneByOne;
  open: number;
}

/**
 * Orders on agents: those on one extension go one after the other, those on different ones at once, as at the start of a shift. An
 * extension without orders is forgotten.
 */
export class AgentOrders {
  private readonly lines = new Map<string, Line>();
  private isClosed = false;

  constructor(private readonly clock: Clock) {}

  /** Rejects as {@link OneByOne.run}, and with `CONTROL_BUSY` for one extension too many. */
  async run<T>(extension: string, carryOut: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw controlError('CONTROL_STOPPED');
    const line = this.lineOf(extension);
    line.open += 1;
    try {
      return await line.orders.run(carryOut);
    } finally {
      line.open -= 1;
      if (line.open === 0) this.lines.delete(extension);
    }
  }

  /** A look beside the line: it changes nothing, so that nobody need wait for it. */
  look<T>(carryOut: () => Promise<T>): Promise<T> {
    return this.isClosed ? Promise.reject(controlError('CONTROL_STOPPED')) : carryOut();
  }

  /** What is under way goes on to its end; what waits is refused. */
  close(): void {
    this.isClosed = true;
    for (const { orders } of this.lines.values()) orders.close();
  }

  private lineOf(extension: string): Line {
    const known = this.lines.get(extension);
    if (known) return known;
    if (this.lines.size >= MAX_EXTENSIONS) throw controlError('CONTROL_BUSY', { count: this.lines.size });
    const line = { orders: new OneByOne(this.clock), open: 0 };
    this.lines.set(extension, line);
    return line;
  }
}
