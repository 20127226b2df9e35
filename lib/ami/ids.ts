import { randomBytes } from 'node:crypto';

/**
 * ActionIDs that no other client uses, nor this one after a restart: OriginateResponse is sent to every client. The id
 * of a list differs in kind from that of a single action, because an event with the former is an item of an answer,
 * an event with the latter (OriginateResponse) is news.
 */
export class ActionIds {
  private readonly prefix = randomBytes(6).toString('hex');
  /** How the id of every list of this client begins. The first character is rare in events: quick not to be found. */
  readonly lists = `~${this.prefix}-`;
  private count = 0;

  one(): string {
    return `${this.prefix}-${++this.count}`;
  }

  list(): string {
    return `${this.lists}${++this.count}`;
  }
}
