import type { Node, NodeStatus } from 'node-red';

/**
 * The one owner of a node's status. The base tells the state that lasts (connected, waiting for calls); an activity is
 * shown for a moment over it and then gives way, so that neither overwrites the other for good.
 */
export class StatusLine {
  private base: NodeStatus = {};
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly node: Node) {}

  /** What holds from now on; seen at once unless an activity is being shown. */
  setBase(status: NodeStatus): void {
    this.base = status;
    if (this.timer === undefined && !this.closed) this.node.status(status);
  }

  /** Shown for `ms` milliseconds, then the base comes back. */
  show(status: NodeStatus, ms = 4000): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.node.status(status);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.node.status(this.base);
    }, ms);
  }

  /** Ends the timer; to be called on close. What comes later, from work that was under way, is not shown any more. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
