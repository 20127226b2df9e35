import type { StoredOrder } from '../store/types';
import type { PooledOrder } from './pool';
import type { AttemptPhase, DialerSettings } from './types';

/** An order that is being dialled: from the moment it left the pool until the store knows how the try ended. */
export interface Flight extends Omit<PooledOrder, 'stored'> {
  stored: StoredOrder;
  /** Once its try is on disk. */
  channelId?: string;
  phase?: AttemptPhase;
  /** Of a click: the colleague's phone was answered. */
  agentAnswered: boolean;
  isCancelled: boolean;
  /** It is followed to its end, and not dialled again. */
  isLast: boolean;
  /** It takes up a line: not any more once its call is over. */
  isOnLine: boolean;
}

/** The orders that are being dialled, and the lines and trunks that they take up. */
export class Flights {
  private readonly flights = new Map<number, Flight>();
  private readonly busy = new Map<string, number>();
  private onLine = 0;

  private readonly lines: number;
  /** By gate. */
  private readonly most: ReadonlyMap<string, number>;

  constructor({ lines, trunkLines }: Pick<DialerSettings, 'lines' | 'trunkLines'>) {
    this.lines = lines;
    this.most = new Map(Object.entries(trunkLines).map(([trunk, most]) => [Flights.gate(trunk), most]));
  }

  /** The gate of a trunk: see {@link isShut}. */
  static gate(trunk: string): string {
    return `trunk ${trunk}`;
  }

  get inAir(): number {
    return this.onLine;
  }

  get isFull(): boolean {
    return this.onLine >= this.lines;
  }

  /** Whether all lines of a trunk are taken. */
  isShut(gate: string): boolean {
    return (this.busy.get(gate) ?? 0) >= (this.most.get(gate) ?? Infinity);
  }

  get(id: number): Flight | undefined {
    return this.flights.get(id);
  }

  ids(): number[] {
    return [...this.flights.keys()];
  }

  begin(order: PooledOrder): Flight {
    const flight: Flight = { ...order, agentAnswered: false, isCancelled: false, isLast: false, isOnLine: true };
    this.flights.set(order.stored.id, flight);
    this.onLine += 1;
    for (const gate of order.gates) this.busy.set(gate, (this.busy.get(gate) ?? 0) + 1);
    return flight;
  }

  /** Its line is free again. */
  land(flight: Flight): void {
    if (!flight.isOnLine) return;
    flight.isOnLine = false;
    this.onLine -= 1;
    for (const gate of flight.gates) {
      const left = (this.busy.get(gate) ?? 1) - 1;
      if (left > 0) this.busy.set(gate, left);
      else this.busy.delete(gate);
    }
  }

  end(flight: Flight): void {
    this.land(flight);
    this.flights.delete(flight.stored.id);
  }
}
