import type { AmiAction, AmiClient, AmiMessage, AmiState } from '../../../../lib/ami/types';
import { amiError } from '../../../../lib/ami/errors';
import { amiEvent, amiMessage } from '../../../support/ami-messages';

type Answer = AmiMessage | Error | Promise<AmiMessage>;

/** A link whose other side is the test. */
export class FakeClient implements AmiClient {
  state: AmiState = { phase: 'ready', since: 0, session: 1 };
  readonly stats = { received: 0, reconnects: 0, tampered: 0, pendingActions: 0 };
  readonly sent: AmiAction[] = [];
  /** What is answered, by action; else Success. */
  readonly answers = new Map<string, (action: AmiAction) => Answer>();
  /** What CoreShowChannels gives; an error rejects. */
  rows: () => AmiMessage[] | Error | Promise<AmiMessage[]> = () => [];
  private readonly subscribers = new Set<{ names: ReadonlySet<string>; handler: (event: AmiMessage) => void }>();
  private readonly listeners = new Set<{ handler: (state: AmiState) => void }>();

  get subscriptions(): number {
    return this.subscribers.size + this.listeners.size;
  }

  /** Names of the actions sent so far, pings left out. */
  get actions(): string[] {
    return this.sent.map(({ action }) => action).filter((action) => action !== 'Ping');
  }

  connect(): void {
    throw new Error('whoever made the link opens it');
  }

  async action(action: AmiAction): Promise<AmiMessage> {
    if (this.state.phase !== 'ready') throw amiError('AMI_NOT_CONNECTED', { action: action.action });
    this.sent.push(action);
    const answer = await (this.answers.get(action.action)?.(action) ?? success());
    if (answer instanceof Error) throw answer;
    return answer;
  }

  async list(action: AmiAction): Promise<AmiMessage[]> {
    if (this.state.phase !== 'ready') throw amiError('AMI_NOT_CONNECTED', { action: action.action });
    this.sent.push(action);
    const rows = await this.rows();
    if (rows instanceof Error) throw rows;
    return rows;
  }

  subscribe(names: '*' | readonly string[], handler: (event: AmiMessage) => void): () => void {
    const entry = { names: new Set(names), handler };
    this.subscribers.add(entry);
    return () => void this.subscribers.delete(entry);
  }

  onState(handler: (state: AmiState) => void): () => void {
    const entry = { handler };
    this.listeners.add(entry);
    return () => void this.listeners.delete(entry);
  }

  close(): Promise<void> {
    throw new Error('whoever made the link closes it');
  }

  /** Asterisk says it. */
  emit(...events: readonly AmiMessage[]): void {
    for (const event of events) {
      for (const { names, handler } of this.subscribers) if (names.has(event.name)) handler(event);
    }
  }

  event(name: string, headers: Readonly<Record<string, string>>): void {
    this.emit(amiEvent(name, headers));
  }

  lose(): void {
    this.change('waiting', this.state.session);
  }

  logIn(): void {
    this.change('ready', this.state.session + 1);
  }

  private change(phase: AmiState['phase'], session: number): void {
    this.state = { phase, since: 0, session };
    for (const { handler } of this.listeners) handler(this.state);
  }
}

const response = (name: string, headers: Readonly<Record<string, string>> = {}): AmiMessage =>
  amiMessage('response', name, [['Response', name], ...Object.entries(headers)]);
export const success = (headers: Readonly<Record<string, string>> = {}): AmiMessage => response('Success', headers);
export const refusal = (message: string): AmiMessage => response('Error', { Message: message });
