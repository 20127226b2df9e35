import { copied } from '../text';
import { mergeCalls } from './merge';
import { readSaved, writeSaved } from './saved';
import { CALL_BOUNDS, newCall, superfluousChannels, type CallState, type ChannelState } from './state';
import type { CallPlan, SavedCall } from './types';

/** Which call a channel, a Linkedid or a bridge belongs to, and what of all that is to be kept for a restart. */
export class CallBook {
  readonly calls = new Set<CallState>();
  private readonly byChannel = new Map<string, CallState>();
  private readonly byLinkedid = new Map<string, CallState>();
  private readonly byBridge = new Map<string, CallState>();
  private readonly dirty = new Set<CallState>();
  /** callIds that were given out to be kept, and those of them that are to be dropped. */
  private readonly kept = new Set<string>();
  private readonly dropped = new Set<string>();

  constructor(private readonly plan: CallPlan) {}

  callOf(channelId: string | undefined): CallState | undefined {
    return channelId === undefined ? undefined : this.byChannel.get(channelId);
  }

  channelOf(id: string | undefined): ChannelState | undefined {
    return id === undefined ? undefined : this.byChannel.get(id)?.channels[id];
  }

  /** The live call that has this bridge. */
  callIn(bridge: string | undefined): CallState | undefined {
    const call = bridge === undefined ? undefined : this.byBridge.get(bridge);
    return call && bridge !== undefined && this.calls.has(call) && bridge in call.bridges ? call : undefined;
  }

  /**
   * To be called when a channel may have gone from one bridge to another. Nobody looks for an empty one; in one that people wait in
   * side by side nobody is found.
   */
  movedBridge(call: CallState, from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    if (from !== undefined && !(from in call.bridges) && this.byBridge.get(from) === call) this.byBridge.delete(from);
    if (to !== undefined && call.bridges[to]?.holding === false) this.byBridge.set(to, call);
  }

  /** The call of a Linkedid; a new one when there is none, or when the one of this Linkedid has been told already. */
  callFor(linkedid: string, channelId: string, t: number): CallState {
    const known = this.byLinkedid.get(linkedid);
    if (known && !known.told) return known;
    const call = newCall(known ? channelId : linkedid, t);
    this.calls.add(call);
    this.link(call, linkedid);
    return call;
  }

  /** Takes a channel into a call, which forgets what it need not know any more; false when it can hold no more channels. */
  add(call: CallState, channel: ChannelState): boolean {
    for (const id of superfluousChannels(call)) {
      Reflect.deleteProperty(call.channels, id);
      this.byChannel.delete(id);
    }
    if (Object.keys(call.channels).length >= CALL_BOUNDS.channels) return false;
    call.channels[channel.id] = channel;
    call.startedAt = Math.min(call.startedAt, channel.bornAt);
    delete call.doneAt;
    this.byChannel.set(channel.id, call);
    this.dirty.add(call);
    return true;
  }

  /** Takes note of a Linkedid of one of the call's channels; gives the other call that has it, if there is one. */
  linkedTo(call: CallState, linkedid: string): CallState | undefined {
    const other = this.byLinkedid.get(linkedid);
    if (!other) this.link(call, linkedid);
    return other === call ? undefined : other;
  }

  changed(call: CallState): void {
    this.dirty.add(call);
  }

  /**
   * Makes two calls one. `undefined` when they stay two: one of them has been told already, and what is told stays; or they
   * would be more than one call can hold.
   */
  merge(one: CallState, other: CallState): CallState | undefined {
    const size = Object.keys(one.channels).length + Object.keys(other.channels).length;
    if (one.told || other.told || size > CALL_BOUNDS.channels) return undefined;
    const callIds = [one.callId, other.callId];
    const { kept, gone } = mergeCalls(one, other, this.plan);
    for (const id of Object.keys(kept.channels)) this.byChannel.set(id, kept);
    for (const linkedid of gone.linkedids) this.link(kept, linkedid);
    for (const bridge of Object.keys(kept.bridges)) this.byBridge.set(bridge, kept);
    this.calls.delete(gone);
    this.dirty.add(kept);
    for (const callId of callIds) if (callId !== kept.callId) this.drop(callId);
    return kept;
  }

  forget(call: CallState): void {
    if (!this.calls.delete(call)) return;
    for (const id of Object.keys(call.channels)) if (this.byChannel.get(id) === call) this.byChannel.delete(id);
    for (const linkedid of call.linkedids) if (this.byLinkedid.get(linkedid) === call) this.byLinkedid.delete(linkedid);
    for (const bridge of Object.keys(call.bridges))
      if (this.byBridge.get(bridge) === call) this.byBridge.delete(bridge);
    this.dirty.delete(call);
    this.drop(call.callId);
  }

  takeChanges(): { readonly changed: readonly SavedCall[]; readonly forgotten: readonly string[] } {
    const changed = [...this.dirty].filter((call) => this.calls.has(call)).map((call) => writeSaved(call));
    for (const { callId } of changed) {
      this.kept.add(callId);
      this.dropped.delete(callId);
    }
    const forgotten = [...this.dropped];
    for (const callId of forgotten) this.kept.delete(callId);
    this.dirty.clear();
    this.dropped.clear();
    return { changed, forgotten };
  }

  /** `undefined` when it cannot be read. */
  restore(saved: SavedCall): CallState | undefined {
    const call = readSaved(saved);
    if (!call) return undefined;
    this.calls.add(call);
    this.kept.add(call.callId);
    for (const id of Object.keys(call.channels)) this.byChannel.set(id, call);
    for (const linkedid of call.linkedids) this.byLinkedid.set(linkedid, call);
    for (const bridge of Object.keys(call.bridges)) this.byBridge.set(bridge, call);
    return call;
  }

  private link(call: CallState, linkedid: string): void {
    if (!call.linkedids.includes(linkedid)) {
      if (call.linkedids.length >= CALL_BOUNDS.linkedids) {
        this.byLinkedid.delete(linkedid);
        return;
      }
      call.linkedids.push(copied(linkedid));
    }
    this.byLinkedid.set(linkedid, call);
  }

  private drop(callId: string): void {
    if (this.kept.has(callId)) this.dropped.add(callId);
  }
}
