import type { AmiClient, AmiMessage, AmiState } from '../../../../lib/ami/types';
import { amiError } from '../../../../lib/ami/errors';
import type { TelephonyError } from '../../../../lib/errors';
import { amiEvent, amiMessage } from '../../../support/ami-messages';

/** A link without a socket: the test says when it is up, what it hears and what it is answered. */
export class FakeLink implements AmiClient {
  state: AmiState = { phase: 'idle', since: 0, session: 0 };
  stats = { received: 0, reconnects: 0, tampered: 0, pendingActions: 0 };
  /** What `CoreStatus` says of the start of Asterisk; `undefined`: it may not be asked. */
  startup: string | undefined = '2026-01-01 09:00:00';
  /** The answers to `CoreShowChannels`: rows, or why there are none. One that never comes is `undefined`. */
  channels: readonly AmiMessage[] | Error | undefined = [];
  /** The answer to `QueueStatus`: rows, or why there are none. */
  queues: readonly AmiMessage[] | Error = [];
  /** The file of every recording, as `Getvar` tells it; `undefined`: it may not be asked. */
  recording: string | undefined;
  readonly asked: string[] = [];
  private readonly handlers = new Set<{ names: readonly string[] | '*'; handler: (event: AmiMessage) => void }>();
  private readonly stateHandlers = new Set<(state: AmiState) => void>();

  /** Subscriptions and handlers of the state that were not ended. */
  get listening(): number {
    return this.handlers.size + this.stateHandlers.size;
  }

  up(): void {
    this.change({ phase: 'ready', since: 0, session: this.state.session + 1 });
  }

  down(error: TelephonyError = amiError('AMI_LINK_LOST', { place: 'pbx', reason: 'reset' })): void {
    this.change({ phase: 'waiting', since: 0, session: this.state.session, error });
  }

  hear(name: string, headers: Readonly<Record<string, string>> = {}): void {
    const event = amiEvent(name, headers);
    for (const { names, handler } of [...this.handlers]) if (names === '*' || names.includes(name)) handler(event);
  }

  connect(): void {
    this.up();
  }

  action({ action }: { readonly action: string }): Promise<AmiMessage> {
    this.asked.push(action);
    if (action === 'Getvar' && this.recording !== undefined) {
      return Promise.resolve(amiMessage('response', 'Success', [['Value', this.recording]]));
    }
    if (this.startup === undefined) return Promise.resolve(amiMessage('response', 'Error', []));
    const [date = '', time = ''] = this.startup.split(' ');
    const headers = [['CoreStartupDate', date] as const, ['CoreStartupTime', time] as const];
    return Promise.resolve(amiMessage('response', 'Success', headers));
  }

  list({ action }: { readonly action: string }): Promise<AmiMessage[]> {
    this.asked.push(action);
    const { channels, queues } = this;
    if (action === 'QueueStatus')
      return queues instanceof Error ? Promise.reject(queues) : Promise.resolve([...queues]);
    if (channels instanceof Error) return Promise.reject(channels);
    return channels ? Promise.resolve([...channels]) : new Promise(() => undefined);
  }

  subscribe(names: readonly string[] | '*', handler: (event: AmiMessage) => void): () => void {
    const entry = { names, handler };
    this.handlers.add(entry);
    return () => void this.handlers.delete(entry);
  }

  onState(handler: (state: AmiState) => void): () => void {
    this.stateHandlers.add(handler);
    return () => void this.stateHandlers.delete(handler);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private change(state: AmiState): void {
    this.state = state;
    for (const handler of [...this.stateHandlers]) handler(state);
  }
}
