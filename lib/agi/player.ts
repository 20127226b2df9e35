import type { AmiClient, AmiMessage } from '../ami/types';
import type { Clock, Timer } from '../clock';
import { asError, type TelephonyError } from '../errors';
import { readAsyncAgiExec, type AsyncAgiDone } from '../protocols/async-agi';
import { agiError, scanProblem } from './errors';
import { Turns } from '../turns';

/** Where the shipped dialplan hands a client's channel over to the player. */
export const AUTOCALL_CONTEXT = 'telephony-crm-autocall';

export interface PlayerOptions {
  readonly client: AmiClient;
  readonly clock: Clock;
  /** Other programs, and other nodes, have their channels in the same context. Asked by Uniqueid. */
  readonly isOurs: (channelId: string) => boolean;
  /** 1 was pressed; told once for a channel. */
  readonly onConfirmed: (channelId: string) => void;
  /** What an operator should know, told once in a session of the link. */
  readonly onProblem: (error: TelephonyError) => void;
}

/** What a client did and heard. */
export interface Played {
  /** Files played to their end. */
  readonly heard: number;
  readonly of: number;
  readonly confirmed: boolean;
  readonly machine: boolean;
}

/** A channel in {@link AUTOCALL_CONTEXT}, from its AsyncAGIStart until it is asked how it went. */
interface Listener {
  readonly id: string;
  /** Of the link, when it was last taken: what happened in an older one may have been missed. */
  readonly session: number;
  /** Numbers of the files that were heard, and of those that could not be played. */
  readonly heard: Set<number>;
  readonly failed: Set<number>;
  files: readonly string[];
  prompt: string;
  machine: boolean;
  /** It has carried a command of ours out. */
  isServed: boolean;
  isConfirmed: boolean;
  /** It was asked how far it has come, and its answer still counts. */
  isProbed: boolean;
  /** The prompt could not be played in the first round. */
  isMute: boolean;
}

/** How often the prompt is played, and for how long a key is then waited for. */
const ROUNDS = 2;
const KEY_MS = 5000;
/** The dialplan's guard while the client is asked, and while he listens: nothing may hold a line for ever. */
const ASK_GUARD_S = 120;
const PLAY_GUARD_S = 900;

/** Asterisk answers these at once. */
const ACTION_WITHIN_MS = 3000;
/** Channels being told at once: with 34 commands each (ten files) they stay below what the link lets wait for answers (1000). */
const AT_ONCE = 20;
/** More channels than any line dials at once; beyond it the oldest are forgotten. */
const MAX_LISTENERS = 2048;
/** How often, and for how long, a channel that is nobody's is looked at again: after a restart its owner may take it up later. */
const LOOK_MS = 500;
const LOOK_FOR_MS = 60_000;
const MAX_PROBLEMS = 100;
/** What is told of the name of a file. */
const MAX_NAME = 200;
/** An order has no more. */
const MAX_FILES = 10;

/**
 * Plays messages to channels that wait in the dialplan's `AGI(agi:async)` of {@link AUTOCALL_CONTEXT}: a prompt that asks for the
 * key 1 (twice at most), if there is one, and then each file. What to play stands in channel variables: `TCRM_FILES` (`a&b`),
 * `TCRM_PROMPT`, and `AMDSTATUS` (a `MACHINE` hears nothing).
 *
 * All files are queued on the channel at once. So Asterisk plays them without a gap and to the end, whatever becomes of this
 * process, and writes down between them how far it is: `TCRM_STEP` is `ask:<round>` or the number of files that are behind it.
 * Whoever comes next queues a command that reads this variable: it runs behind all that was queued before, so its answer is
 * how far those went, and nothing is played twice.
 *
 * Measured on Asterisk 22.10 and 16.28: queued commands run one after the other within a millisecond; a missing file ends AGI in
 * STREAM FILE, but not in EXEC Playback; Playback cut by a hang-up is `result=0` on 16 and -1 on 22, so that a file was heard is
 * known by the command behind it, which a channel that has hung up does not run.
 */
export class AutocallPlayer {
  private readonly listeners = new Map<string, Listener>();
  /** Channels that are nobody's yet: until when (monotonic ms) they are looked at again, and whether their start was seen. */
  private readonly unclaimed = new Map<string, { readonly until: number; readonly isFresh: boolean }>();
  private readonly turns = new Turns(AT_ONCE, MAX_LISTENERS);
  private readonly told = new Set<string>();
  private readonly ends: readonly (() => void)[];
  private looking: Timer | undefined;
  private session = -1;
  /** In this session a channel was: a user without class "agi" in read= hears of none. */
  private isOffered = false;
  private isClosed = false;

  constructor(private readonly options: PlayerOptions) {
    const { client } = options;
    this.ends = [
      client.subscribe(['AsyncAGIStart'], (event) => this.onStart(event)),
      client.subscribe(['AsyncAGIExec'], (event) => this.onDone(event)),
      client.subscribe(['AsyncAGIEnd'], (event) => void this.unclaimed.delete(event.get('Uniqueid') ?? '')),
      client.onState(() => this.onState()),
    ];
    this.onState();
  }

  /**
   * How it went on a channel that has hung up, and forgets it; `undefined`: it was never served, or ended while the link was down, so
   * that nobody knows. `not-offered`: other channels were offered to us in this session of the link, and this one was not.
   */
  take(channelId: string): Played | 'not-offered' | undefined {
    const listener = this.listeners.get(channelId);
    this.listeners.delete(channelId);
    if (!listener && !this.unclaimed.has(channelId) && this.isOffered) return 'not-offered';
    // What it was to hear was never read: nobody knows how much of it was heard.
    if (!listener?.isServed || listener.files.length === 0) return undefined;
    const { heard, failed, files, isConfirmed, machine } = listener;
    const isOver = machine || files.every((_, index) => heard.has(index) || failed.has(index));
    if (!isOver && listener.session !== this.session) return undefined;
    const count = files.filter((_, index) => heard.has(index)).length;
    return { heard: count, of: files.length, confirmed: isConfirmed, machine };
  }

  /** Serves no more. What was queued is played to its end. */
  close(): void {
    this.isClosed = true;
    for (const end of this.ends) end();
    this.looking?.cancel();
    this.listeners.clear();
    this.unclaimed.clear();
  }

  private onState(): void {
    const { phase, session } = this.options.client.state;
    if (phase !== 'ready' || session === this.session) return;
    this.session = session;
    this.isOffered = false;
    this.told.clear();
    void this.findWaiting();
  }

  private onStart(event: AmiMessage): void {
    if (event.get('Context') !== AUTOCALL_CONTEXT) return;
    this.isOffered = true;
    this.offer(event.get('Uniqueid') ?? '', true);
  }

  /** Channels that waited before we came, or while the link was down. */
  private async findWaiting(): Promise<void> {
    const { client } = this.options;
    const { session } = this;
    let rows: AmiMessage[];
    try {
      rows = await client.list({ action: 'CoreShowChannels' });
    } catch (thrown) {
      if (client.state.phase === 'ready' && !this.isClosed) this.tell(scanProblem(asError(thrown)));
      return;
    }
    if (this.isClosed || session !== this.session) return;
    for (const row of rows) {
      const id = row.get('Uniqueid') ?? '';
      const isKnown = this.listeners.get(id)?.session === session || this.unclaimed.has(id);
      // The application is no sign: while a file is played it is Playback.
      if (row.get('Context') === AUTOCALL_CONTEXT && !isKnown) this.offer(id, false);
    }
  }

  private offer(id: string, isFresh: boolean): void {
    if (id === '') return;
    if (this.options.isOurs(id)) {
      void this.serve(id, isFresh);
      return;
    }
    if (this.unclaimed.size >= MAX_LISTENERS) return;
    this.unclaimed.set(id, { until: this.options.clock.monotonic() + LOOK_FOR_MS, isFresh });
    this.looking ??= this.options.clock.after(LOOK_MS, () => this.lookAgain());
  }

  private lookAgain(): void {
    const { clock, isOurs } = this.options;
    this.looking = undefined;
    const now = clock.monotonic();
    for (const [id, { until, isFresh }] of this.unclaimed) {
      const isClaimed = isOurs(id);
      if (isClaimed || now >= until) this.unclaimed.delete(id);
      if (isClaimed) void this.serve(id, isFresh);
    }
    if (this.unclaimed.size > 0) this.looking = clock.after(LOOK_MS, () => this.lookAgain());
  }

  /** @param isFresh its start was seen, so nothing was queued on it yet */
  private async serve(id: string, isFresh: boolean): Promise<void> {
    const listener = this.remember(id);
    await this.turns.run(async () => {
      const names = ['TCRM_FILES', 'TCRM_PROMPT', 'AMDSTATUS', 'TCRM_STEP'];
      const values = await Promise.all(names.map((name) => this.read(id, name)));
      // Taken anew meanwhile: by its start, or in the next session.
      if (this.isClosed || this.listeners.get(id) !== listener) return;
      const [files, prompt, amd, step] = values;
      // It stays one that was offered.
      if (files === undefined || prompt === undefined || step === undefined) return;
      listener.files = files.split('&', MAX_FILES).filter((file) => file !== '');
      listener.prompt = prompt;
      listener.machine = amd === 'MACHINE';
      if (isFresh) return this.begin(listener);
      this.reached(listener, step);
      listener.isProbed = true;
      return this.queue(listener, [['GET VARIABLE TCRM_STEP', 'where']]);
    });
  }

  private remember(id: string): Listener {
    const old = this.listeners.get(id);
    this.listeners.delete(id);
    for (const oldest of this.listeners.keys()) {
      if (this.listeners.size < MAX_LISTENERS) break;
      this.listeners.delete(oldest);
    }
    const listener: Listener = {
      id,
      session: this.session,
      heard: new Set(old?.heard),
      failed: new Set(old?.failed),
      files: old?.files ?? [],
      prompt: old?.prompt ?? '',
      machine: old?.machine ?? false,
      isServed: old?.isServed ?? false,
      isConfirmed: old?.isConfirmed ?? false,
      isProbed: false,
      isMute: false,
    };
    this.listeners.set(id, listener);
    return listener;
  }

  private begin(listener: Listener): Promise<void> {
    if (listener.machine) return this.queue(listener, [['SET VARIABLE TCRM_STEP machine', 'step'], LEAVE]);
    return listener.prompt === '' ? this.play(listener, 0) : this.ask(listener, 1);
  }

  // The guard comes first: when the dialplan's own few seconds run out before it, the step is still empty, and the dialplan plays by itself.
  private ask(listener: Listener, round: number): Promise<void> {
    return this.queue(listener, [
      [`SET VARIABLE TIMEOUT(absolute) ${ASK_GUARD_S}`, 'guard'],
      [`SET VARIABLE TCRM_STEP ask:${round}`, 'step'],
      // Plays and waits in one, so that no key falls between; one key is enough for it.
      [`GET DATA ${listener.prompt} ${KEY_MS} 1`, `ask:${round}`],
    ]);
  }

  private play(listener: Listener, from: number): Promise<void> {
    const files = listener.files.flatMap((file, index): Command[] =>
      index < from
        ? []
        : [
            [`EXEC Playback ${file}`, 'play'],
            ['GET VARIABLE PLAYBACKSTATUS', `file:${index}`],
            [`SET VARIABLE TCRM_STEP ${index + 1}`, `step:${index + 1}`],
          ],
    );
    return this.queue(listener, [
      [`SET VARIABLE TIMEOUT(absolute) ${PLAY_GUARD_S}`, 'guard'],
      [`SET VARIABLE TCRM_STEP ${from}`, 'step'],
      ...files,
      LEAVE,
    ]);
  }

  private onDone(event: AmiMessage): void {
    const done = readAsyncAgiExec(event);
    const listener = done && this.listeners.get(done.uniqueid);
    if (!listener || !done.commandId.startsWith(PREFIX)) return;
    const [what, number = ''] = done.commandId.slice(PREFIX.length).split(':');
    if (what !== 'where') listener.isServed = true;
    if (what === 'step') this.reached(listener, number);
    else if (what === 'file') this.filePlayed(listener, Number(number), done);
    // Before the variables were read, it is asked once more, behind all that was queued.
    else if (what === 'ask' && listener.files.length > 0) this.asked(listener, Number(number), done);
    else if (what === 'where' && listener.isProbed) {
      listener.isProbed = false;
      void this.turns.run(() => this.goOn(listener, done.value));
    }
  }

  private filePlayed(listener: Listener, index: number, { value }: AsyncAgiDone): void {
    if (!Number.isInteger(index) || index < 0 || index >= MAX_FILES) return;
    if (value === 'SUCCESS') listener.heard.add(index);
    else {
      listener.failed.add(index);
      const file = listener.files[index];
      if (file !== undefined) this.noSound(file);
    }
  }

  private asked(listener: Listener, round: number, { result }: AsyncAgiDone): void {
    listener.isProbed = false;
    // A channel that has hung up ends here, too, but does not come to the next round.
    if (listener.isMute) this.noSound(listener.prompt);
    listener.isMute = result === '-1';
    if (result === '1') {
      this.confirm(listener);
      void this.turns.run(() => this.play(listener, 0));
    } else if (round < ROUNDS) void this.turns.run(() => this.ask(listener, round + 1));
    else void this.turns.run(() => this.queue(listener, [LEAVE]));
  }

  /** All that was queued on it before we came is done. */
  private goOn(listener: Listener, step: string): Promise<void> {
    this.reached(listener, step);
    const [, round] = /^ask:(\d)$/.exec(step) ?? [];
    if (round !== undefined) return this.ask(listener, Number(round));
    return /^\d+$/.test(step) ? this.play(listener, Number(step)) : this.begin(listener);
  }

  /** Takes over what an earlier session or process has brought about. */
  private reached(listener: Listener, step: string): void {
    if (step !== '') listener.isServed = true;
    if (!/^\d+$/.test(step)) return;
    for (let index = 0; index < Math.min(Number(step), listener.files.length); index += 1) {
      if (!listener.failed.has(index)) listener.heard.add(index);
    }
    if (listener.prompt !== '') this.confirm(listener);
  }

  private confirm(listener: Listener): void {
    if (listener.isConfirmed) return;
    listener.isConfirmed = true;
    this.options.onConfirmed(listener.id);
  }

  /** The value of a variable; `undefined` when the channel or the link is gone. */
  private async read(id: string, name: string): Promise<string | undefined> {
    const answer = await this.act('Getvar', 'call', { Channel: id, Variable: name });
    return answer && (answer.get('Value') ?? '');
  }

  /** Queues commands on a channel, in order: a session of Asterisk carries out its actions as they come. */
  private async queue(listener: Listener, commands: readonly Command[]): Promise<void> {
    const { id } = listener;
    if (this.listeners.get(id) !== listener) return;
    await Promise.all(
      commands.map(([command, name]) =>
        this.act('AGI', 'agi', { Channel: id, Command: command, CommandID: `${PREFIX}${name}` }),
      ),
    );
  }

  private async act(
    action: string,
    permission: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<AmiMessage | undefined> {
    try {
      const answer = await this.options.client.action({ action, headers }, { timeoutMs: ACTION_WITHIN_MS });
      if (answer.name !== 'Error') return answer;
      if (/permission denied/i.test(answer.get('Message') ?? '')) {
        this.tell(agiError('AGI_PERMISSION', { action, permission }));
      }
    } catch {
      // The link is down: after the next login the channel is found, and goes on where it is then.
    }
    return undefined;
  }

  private noSound(file: string): void {
    this.tell(agiError('AGI_NO_SUCH_SOUND', { file: file.slice(0, MAX_NAME) }));
  }

  private tell(error: TelephonyError): void {
    if (this.told.has(error.message) || this.told.size >= MAX_PROBLEMS || this.isClosed) return;
    this.told.add(error.message);
    this.options.onProblem(error);
  }
}

type Command = readonly [command: string, name: string];

const PREFIX = 'tcrm:';
/** Back to the dialplan, which hangs up. */
const LEAVE: Command = ['ASYNCAGI BREAK', 'leave'];
