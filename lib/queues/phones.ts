import type { CallMessage } from '../messages/types';

/** More than one Asterisk carries; beyond it the oldest is forgotten, whose queue then tells when it is over. */
const MAX_PHONES = 10_000;

/** Which of our phones are connected in which call, as the tracker of calls tells. */
export class Phones {
  /** Extension and call, by the Uniqueid of the phone's channel. */
  private readonly connected = new Map<string, string>();

  apply({ topic, payload: { legId, extension, callId } }: CallMessage): void {
    if (legId === undefined || extension === undefined) return;
    if (topic === 'call_answer' || topic === 'call_held' || topic === 'call_active') {
      const [oldest] = this.connected.keys();
      if (oldest !== undefined && this.connected.size >= MAX_PHONES) this.connected.delete(oldest);
      this.connected.set(legId, keyOf(extension, callId));
    } else if (topic === 'call_hangup' || topic === 'call_transfer') this.connected.delete(legId);
  }

  has(extension: string, callId: string): boolean {
    const key = keyOf(extension, callId);
    for (const one of this.connected.values()) if (one === key) return true;
    return false;
  }
}

const keyOf = (extension: string, callId: string): string => `${extension} ${callId}`;
