import type { Clock, Timer } from '../clock';
import type { PbxMessage } from '../messages/types';

export type CallHandler<Message = PbxMessage> = (message: Message) => void;

/** Ends a subscription; `comesBack`: the same name will subscribe again in a moment and must miss nothing. */
export type EndListening = (comesBack?: boolean) => void;

/** Messages kept for a subscriber that is away; beyond it the oldest go. */
export const MAX_KEPT = 10_000;
/** A deploy takes seconds; who is away longer is gone. */
const AWAY_MS = 60_000;

interface Listener<Message> {
  readonly handler: CallHandler<Message>;
  /** What it has yet to be told, while it is away or has just come. */
  kept: Message[] | undefined;
  timer?: Timer;
}

/**
 * Who is told of calls, or of queues. A node that is redeployed ends its subscription and begins it anew: what happens in between is
 * kept for it under its name.
 */
export class CallListeners<Message = PbxMessage> {
  private readonly listeners = new Map<string, Listener<Message>>();
  private early: Message[] | undefined;
  private earlyEnd: Timer | undefined;
  private anonymous = 0;
  private hasDropped = false;

  constructor(
    private readonly clock: Clock,
    private readonly onFail: (thrown: unknown) => void,
    /** Told when the last one is gone for good. */
    private readonly onNobody: () => void,
    /** Told at the first message that is lost because more than {@link MAX_KEPT} were kept for a subscriber. */
    private readonly onDropped: () => void,
  ) {}

  /** Those who are away for a moment included. */
  get size(): number {
    return this.listeners.size;
  }

  /** From now on for a minute, who comes is told what came before: after a restart calls are told before all flows have started. */
  keepForThoseToCome(): void {
    this.early = [];
    this.earlyEnd?.cancel();
    this.earlyEnd = this.clock.after(AWAY_MS, () => {
      this.early = undefined;
      if (this.size === 0) this.onNobody();
    });
  }

  /** Is somebody there, or may still come? */
  get awaited(): boolean {
    return this.size > 0 || this.early !== undefined;
  }

  add(handler: CallHandler<Message>, name = `#${++this.anonymous}`): EndListening {
    const before = this.listeners.get(name);
    before?.timer?.cancel();
    const listener: Listener<Message> = { handler, kept: before ? before.kept : this.early?.slice() };
    this.listeners.set(name, listener);
    // Not within this call: who subscribes is not ready to be told before it has the way to end it.
    if (listener.kept) listener.timer = this.clock.after(0, () => this.catchUp(listener));
    return (comesBack = false) => {
      if (this.listeners.get(name) !== listener) return;
      listener.timer?.cancel();
      if (comesBack) {
        listener.kept ??= [];
        listener.timer = this.clock.after(AWAY_MS, () => this.remove(name));
      } else this.remove(name);
    };
  }

  tell(message: Message): void {
    if (this.early) this.keep(this.early, message);
    for (const listener of [...this.listeners.values()]) {
      if (listener.kept) this.keep(listener.kept, message);
      else this.hand(listener, message);
    }
  }

  clear(): void {
    this.earlyEnd?.cancel();
    this.early = undefined;
    for (const { timer } of this.listeners.values()) timer?.cancel();
    this.listeners.clear();
  }

  private catchUp(listener: Listener<Message>): void {
    const kept = listener.kept ?? [];
    listener.kept = undefined;
    for (const message of kept) this.hand(listener, message);
  }

  private keep(list: Message[], message: Message): void {
    if (list.length >= MAX_KEPT) {
      list.shift();
      if (!this.hasDropped) this.onDropped();
      this.hasDropped = true;
    }
    list.push(message);
  }

  /** One who fails harms neither the others nor the tracking. */
  private hand(listener: Listener<Message>, message: Message): void {
    try {
      listener.handler(message);
    } catch (thrown) {
      this.onFail(thrown);
    }
  }

  private remove(name: string): void {
    this.listeners.delete(name);
    if (!this.awaited) this.onNobody();
  }
}
