import type { Log } from '../log';
import { copied } from '../text';
import { MAX_REMEMBERED_NAMES } from './limits';
import { lowerCase } from './message';
import type { AmiMessage } from './types';

export type EventHandler = (event: AmiMessage) => void;

const nobody: readonly EventHandler[] = [];

/** Who wants which events. Finding them is one look-up by the name as Asterisk writes it. */
export class Subscriptions {
  private readonly byName = new Map<string, Set<EventHandler>>();
  private readonly toAll = new Set<EventHandler>();
  /** The handlers of each name seen, until somebody comes or goes. */
  private readonly found = new Map<string, readonly EventHandler[]>();

  constructor(private readonly log: Log) {}

  /** Adds a handler; each call is a subscription of its own, even with the same function. */
  add(names: '*' | readonly string[], handler: EventHandler): () => void {
    const own: EventHandler = (event) => handler(event);
    const sets = names === '*' ? [this.toAll] : [...new Set(names.map(lowerCase))].map((name) => this.setOf(name));
    for (const set of sets) set.add(own);
    this.found.clear();
    return () => {
      for (const set of sets) set.delete(own);
      this.found.clear();
    };
  }

  clear(): void {
    this.byName.clear();
    this.toAll.clear();
    this.found.clear();
  }

  /** The handlers of an event, in the order in which they came. The list does not change while it is gone through. */
  of(name: string): readonly EventHandler[] {
    const known = this.found.get(name);
    if (known) return known;
    const handlers = [...this.toAll, ...(this.byName.get(lowerCase(name)) ?? nobody)];
    if (this.found.size >= MAX_REMEMBERED_NAMES) this.found.clear();
    const result = handlers.length > 0 ? handlers : nobody;
    this.found.set(copied(name), result);
    return result;
  }

  /** Hands the event to each; one that throws harms neither the others nor the link. */
  deliver(event: AmiMessage, handlers: readonly EventHandler[]): void {
    for (const handler of handlers) {
      try {
        handler(event);
      } catch (thrown) {
        this.log.warn(`A handler of the event ${event.name} failed: ${String(thrown)}`);
      }
    }
  }

  private setOf(name: string): Set<EventHandler> {
    let set = this.byName.get(name);
    if (!set) this.byName.set(name, (set = new Set()));
    return set;
  }
}
