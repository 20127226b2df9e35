import type { AmiMessage } from '../../../../lib/ami/types';
import type { CallTracker, CallTrackerStats, SavedCall } from '../../../../lib/calls/types';
import type { CallMessage } from '../../../../lib/messages/types';

/**
 * A tracker for which every event is a call of its own (`Uniqueid`): it rings when it is heard of, ends with `Hangup` or when
 * it is in no list of channels, and its record comes a second later. Keeps a diary of what it was told.
 */
export class FakeTracker implements CallTracker {
  readonly diary: string[] = [];
  readonly stats: { -readonly [Key in keyof CallTrackerStats]: number } = {
    liveCalls: 0,
    channels: 0,
    tampered: 0,
    overBound: 0,
  };
  private readonly live = new Set<string>();
  private readonly over = new Map<string, number>();
  private changed = new Set<string>();
  private forgotten: string[] = [];

  current(): readonly CallMessage[] {
    return [...this.live].map((callId) => message('call_ringing', callId));
  }

  get wakeAt(): number | undefined {
    return this.over.size === 0 ? undefined : Math.min(...this.over.values());
  }

  apply(event: AmiMessage, at: number): readonly CallMessage[] {
    this.diary.push(event.name);
    const callId = event.get('Uniqueid') ?? '';
    if (event.name === 'Hangup') return this.end(callId, at);
    return this.take(callId);
  }

  tick(at: number): readonly CallMessage[] {
    const due = [...this.over].filter(([, when]) => when <= at).map(([callId]) => callId);
    for (const callId of due) {
      this.over.delete(callId);
      this.forgotten.push(callId);
    }
    return due.map((callId) => message('call_record', callId));
  }

  linkLost(at: number): void {
    this.diary.push(`lost ${at}`);
  }

  beginSession(_at: number, restarted: boolean): readonly CallMessage[] {
    this.diary.push(restarted ? 'begin anew' : 'begin');
    return [];
  }

  resync(rows: readonly AmiMessage[], at: number): readonly CallMessage[] {
    const up = rows.map((row) => row.get('Uniqueid') ?? '');
    this.diary.push(`resync ${up.join()}`);
    return [
      ...[...this.live].filter((callId) => !up.includes(callId)).flatMap((callId) => this.end(callId, at)),
      ...up.filter((callId) => !this.live.has(callId)).flatMap((callId) => this.take(callId)),
    ];
  }

  takeChanges(): { readonly changed: readonly SavedCall[]; readonly forgotten: readonly string[] } {
    const changed = [...this.changed].map((callId) => ({ callId, state: `state of ${callId}` }));
    const { forgotten } = this;
    this.changed = new Set();
    this.forgotten = [];
    return { changed, forgotten };
  }

  restore(saved: readonly SavedCall[]): { readonly unreadable: number } {
    const read = saved.filter(({ state }) => state !== 'of another version');
    for (const { callId } of read) this.live.add(callId);
    this.count();
    return { unreadable: saved.length - read.length };
  }

  private take(callId: string): readonly CallMessage[] {
    this.live.add(callId);
    this.changed.add(callId);
    this.count();
    return [message('call_ringing', callId)];
  }

  private end(callId: string, at: number): readonly CallMessage[] {
    this.live.delete(callId);
    this.over.set(callId, at + 1000);
    this.count();
    return [message('call_hangup', callId)];
  }

  private count(): void {
    Object.assign(this.stats, { liveCalls: this.live.size });
  }
}

function message(topic: 'call_ringing' | 'call_hangup' | 'call_record', callId: string): CallMessage {
  const payload = { eventId: `${topic} ${callId}`, pbx: 'office', callId, direction: 'in', startedAt: '' } as const;
  return topic === 'call_record'
    ? { topic, payload: { ...payload, rung: [], talked: [], legs: [] } }
    : { topic, payload };
}
