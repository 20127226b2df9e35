import type { AmiAction, AmiClient, AmiMessage, AmiState } from '../../../../lib/ami/types';
import { amiEvent } from '../../../support/ami-messages';

interface Command {
  readonly text: string;
  readonly id: string;
}

/** A client's channel that waits in AsyncAGI of telephony-crm-autocall, and does what is queued on it, step by step. */
export class AutocallChannel {
  readonly variables = new Map<string, string>();
  readonly queue: Command[] = [];
  /** What the client heard. */
  readonly played: string[] = [];
  /** What he answers to each prompt; none is left: nothing. `hang-up` ends the call there. */
  readonly keys: string[] = [];
  /** Files that the PBX has not. */
  readonly missing = new Set<string>();
  /** He hangs up while this file is played. */
  hangsUpIn: string | undefined;
  isInAgi = false;
  isGone = false;

  constructor(
    readonly id: string,
    variables: Readonly<Record<string, string>>,
  ) {
    for (const [name, value] of Object.entries(variables)) this.variables.set(name, value);
  }

  /** Carries the next command out; what it answers, as `Result` of AsyncAGIExec says it. */
  run(text: string): string {
    const [verb = '', what = '', name = '', value = ''] = text.replaceAll('"', '').split(' ');
    switch (`${verb} ${what}`) {
      case 'SET VARIABLE':
        this.variables.set(name, value);
        return '200 result=1';
      case 'GET VARIABLE': {
        const found = this.variables.get(name) ?? '';
        return found === '' ? '200 result=0' : `200 result=1 (${found})`;
      }
      case 'EXEC Playback': {
        const isMissing = this.missing.has(name);
        if (!isMissing) this.played.push(name);
        this.variables.set('PLAYBACKSTATUS', isMissing ? 'FAILED' : 'SUCCESS');
        // 16 says 0, too, when the client hung up in the middle.
        if (name === this.hangsUpIn) this.isGone = true;
        return '200 result=0';
      }
      case 'GET DATA': {
        if (this.missing.has(name)) return '200 result=-1';
        this.played.push(name);
        const key = this.keys.shift();
        if (key === 'hang-up') this.isGone = true;
        if (this.isGone) return '200 result=-1';
        return key === undefined ? '200 result= (timeout)' : `200 result=${key}`;
      }
      case 'ASYNCAGI BREAK':
        this.isInAgi = false;
        return '200 result=0';
      default:
        return '510 Invalid or unknown command';
    }
  }
}

/** A PBX whose channels stand in the autocall context; every link to it hears what they do. */
export class AutocallPbx {
  readonly channels = new Map<string, AutocallChannel>();
  readonly links = new Set<AutocallLink>();

  add(id: string, variables: Readonly<Record<string, string>>): AutocallChannel {
    const channel = new AutocallChannel(id, variables);
    this.channels.set(id, channel);
    return channel;
  }

  /** The channel comes to AGI. */
  start(channel: AutocallChannel): void {
    channel.isInAgi = true;
    this.tell('AsyncAGIStart', channel);
  }

  /** Carries out one queued command; false when there is none. */
  step(channel: AutocallChannel): boolean {
    if (!channel.isInAgi || channel.isGone) return false;
    const command = channel.queue.shift();
    if (!command) return false;
    const result = channel.run(command.text);
    this.tell('AsyncAGIExec', channel, { Result: encodeURIComponent(`${result}\n`), CommandId: command.id });
    this.leave(channel);
    return true;
  }

  private leave(channel: AutocallChannel): void {
    if (channel.isGone || !channel.isInAgi) this.tell('AsyncAGIEnd', channel);
    if (channel.isGone) this.channels.delete(channel.id);
  }

  private tell(name: string, channel: AutocallChannel, more: Readonly<Record<string, string>> = {}): void {
    const event = amiEvent(name, { Uniqueid: channel.id, Context: 'telephony-crm-autocall', ...more });
    for (const link of this.links) link.hear(event);
  }
}

const answer = (name: string, headers: Readonly<Record<string, string>> = {}): AmiMessage => ({
  ...amiEvent(name, headers),
  kind: 'response',
});

/** The manager link of one process. */
export class AutocallLink implements AmiClient {
  state: AmiState = { phase: 'ready', since: 0, session: 1 };
  readonly stats = { received: 0, reconnects: 0, tampered: 0, pendingActions: 0 };
  /** Actions that are refused for want of a permission. */
  readonly denied = new Set<string>();
  private readonly handlers = new Set<readonly [readonly string[], (event: AmiMessage) => void]>();
  private readonly states = new Set<(state: AmiState) => void>();

  constructor(private readonly pbx: AutocallPbx) {
    pbx.links.add(this);
  }

  get listeners(): number {
    return this.handlers.size + this.states.size;
  }
  connect(): void {
    // The link of this test is up.
  }
  async action({ action, headers = {} }: AmiAction): Promise<AmiMessage> {
    const { Channel, Variable, Command, CommandID } = headers as Readonly<Record<string, string>>;
    const carriedOut = this.perform(action, Channel ?? '', Variable ?? '', {
      text: Command ?? '',
      id: CommandID ?? '',
    });
    await Promise.resolve();
    if (!this.pbx.links.has(this) || this.state.phase !== 'ready') throw new Error('the link is down');
    return carriedOut;
  }
  async list(): Promise<AmiMessage[]> {
    const rows = [...this.pbx.channels.values()].map(({ id }) =>
      amiEvent('CoreShowChannel', { Uniqueid: id, Context: 'telephony-crm-autocall', Application: 'AGI' }),
    );
    await Promise.resolve();
    if (this.denied.has('CoreShowChannels')) throw new Error('Permission denied');
    return rows;
  }
  subscribe(names: '*' | readonly string[], handler: (event: AmiMessage) => void): () => void {
    const entry = [names === '*' ? [] : names, handler] as const;
    this.handlers.add(entry);
    return () => void this.handlers.delete(entry);
  }
  onState(handler: (state: AmiState) => void): () => void {
    this.states.add(handler);
    return () => void this.states.delete(handler);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  hear(event: AmiMessage): void {
    if (this.state.phase !== 'ready') return;
    for (const [names, handler] of [...this.handlers]) if (names.includes(event.name)) handler(event);
  }
  /** The process dies: it hears and says nothing more. */
  die(): void {
    this.pbx.links.delete(this);
    this.handlers.clear();
    this.states.clear();
  }
  cut(): void {
    this.become({ ...this.state, phase: 'waiting' });
  }
  mend(): void {
    this.become({ ...this.state, phase: 'ready', session: this.state.session + 1 });
  }

  private become(state: AmiState): void {
    this.state = state;
    for (const handler of [...this.states]) handler(state);
  }

  private perform(action: string, id: string, variable: string, command: Command): AmiMessage {
    if (!this.pbx.links.has(this) || this.state.phase !== 'ready') return answer('Error');
    if (this.denied.has(action)) return answer('Error', { Message: 'Permission denied' });
    const channel = this.pbx.channels.get(id);
    if (!channel) return answer('Error', { Message: 'No such channel' });
    if (action === 'Getvar') return answer('Success', { Value: channel.variables.get(variable) ?? '' });
    channel.queue.push(command);
    return answer('Success');
  }
}
