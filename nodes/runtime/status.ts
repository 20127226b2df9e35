import type { Node, NodeStatus } from 'node-red';

/** From good to bad; a status without a colour says neither. */
const FILLS: readonly NodeStatus['fill'][] = [undefined, 'green', 'blue', 'grey', 'yellow', 'red'];

/** What happens never looks better than what holds: words over a red base are red. */
function over(base: NodeStatus, activity: NodeStatus): NodeStatus {
  const { fill, shape } = FILLS.indexOf(base.fill) > FILLS.indexOf(activity.fill) ? base : activity;
  return { ...activity, ...(fill && { fill }), ...(shape && { shape }) };
}

/**
 * The one owner of a node's status. The base tells the state that lasts (connected, waiting for calls); an activity is
 * shown for a moment over it and then gives way, so that neither overwrites the other for good. An activity is never shown in a better
 * colour than the base.
 */
export class StatusLine {
  private base: NodeStatus = {};
  private activity: NodeStatus | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly node: Node) {}

  /** What holds from now on; while an activity is being shown, its colour at most. */
  setBase(status: NodeStatus): void {
    this.base = status;
    this.tell();
  }

  /** Shown for `ms` milliseconds, then the base comes back. */
  show(status: NodeStatus, ms = 4000): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.activity = status;
    this.tell();
    this.timer = setTimeout(() => {
      this.activity = undefined;
      this.tell();
    }, ms);
  }

  /** Ends the timer; to be called on close. What comes later, from work that was under way, is not shown any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private tell(): void {
    if (!this.closed) this.node.status(this.activity ? over(this.base, this.activity) : this.base);
  }
}
