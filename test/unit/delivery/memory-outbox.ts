import type { DeadItem, OutboxEntry, OutboxItem, OutboxTable, StoredError } from '../../../lib/store/types';

type Held = OutboxEntry & { id: number; attempts: number; notBefore: number; lastError?: StoredError; dead: boolean };

/** The outbox of a store without a disk, that can be told to fail. */
export class MemoryOutbox implements OutboxTable {
  readonly items: Held[] = [];
  readonly delivered: string[] = [];
  broken: Error | undefined;
  private ids = 0;

  private ready(): Promise<void> {
    return this.broken ? Promise.reject(this.broken) : Promise.resolve();
  }
  async put(entries: readonly OutboxEntry[]): Promise<{ readonly known: readonly string[] }> {
    await this.ready();
    const known: string[] = [];
    for (const entry of entries) {
      const isKnown =
        this.delivered.includes(entry.eventId) || this.items.some(({ eventId }) => eventId === entry.eventId);
      if (isKnown) known.push(entry.eventId);
      else this.items.push({ ...entry, id: (this.ids += 1), attempts: 0, notBefore: 0, dead: false });
    }
    return { known };
  }
  async waiting(_queue: string, limit: number, afterId = 0): Promise<OutboxItem[]> {
    await this.ready();
    const found = this.items.filter(({ id, dead }) => !dead && id > afterId);
    return found.slice(0, limit).map((item) => ({ ...item }));
  }
  async done(ids: readonly number[]): Promise<void> {
    await this.ready();
    for (const id of ids) {
      const at = this.items.findIndex((item) => item.id === id);
      const [gone] = at < 0 ? [] : this.items.splice(at, 1);
      if (gone) this.delivered.push(gone.eventId);
    }
  }
  async failed(id: number, error: StoredError, notBefore: number): Promise<void> {
    await this.ready();
    const item = this.items.find((one) => one.id === id);
    if (item) Object.assign(item, { attempts: item.attempts + 1, lastError: error, notBefore });
  }
  async giveUp(id: number, error: StoredError): Promise<void> {
    await this.ready();
    const item = this.items.find((one) => one.id === id);
    if (item) Object.assign(item, { dead: true, lastError: error });
  }
  async dead(): Promise<DeadItem[]> {
    await this.ready();
    return this.items.filter(({ dead }) => dead).map((item) => ({ ...item, diedAt: 0 }));
  }
  async revive(_queue: string, ids?: readonly number[]): Promise<number> {
    await this.ready();
    const chosen = this.items.filter(({ id, dead }) => dead && (ids === undefined || ids.includes(id)));
    for (const item of chosen) Object.assign(item, { dead: false, attempts: 0, notBefore: 0 });
    return chosen.length;
  }
  async drop(): Promise<number> {
    await this.ready();
    const kept = this.items.filter(({ dead }) => !dead);
    const count = this.items.length - kept.length;
    this.items.splice(0, this.items.length, ...kept);
    return count;
  }
  queues(): Promise<string[]> {
    return Promise.resolve([...new Set(this.items.map(({ queue }) => queue))]);
  }
  adopt(from: string, to: string): Promise<number> {
    const moved = this.items.filter(({ queue }) => queue === from);
    for (const item of moved) Object.assign(item, { queue: to });
    return Promise.resolve(moved.length);
  }
  async count(): Promise<{ waiting: number; dead: number }> {
    await this.ready();
    const dead = this.items.filter((item) => item.dead).length;
    return { waiting: this.items.length - dead, dead };
  }
}
