import { randomInt } from 'node:crypto';
import { Interrupted, type Channel } from './channel';
import { limits, versions } from './defaults';
import { encodeAgi, type Header } from './event-format';
import type { Listeners } from './listeners';
import type { Pbx } from './pbx';

interface Command {
  readonly text: string;
  readonly id: string | undefined;
}

interface Answer {
  readonly line: string;
  readonly code: number;
  readonly result: string;
  readonly leaves?: boolean;
}

/** A waiting channel looks at its commands this often (measured: about every 100 ms). */
const POLL_MS = 100;

/** How long GET DATA waits for a key by itself. */
const KEY_MS = 5000;

/** Asterisk cuts `Env` here (measured): the arguments at its end may be missing. */
const ENV_BYTES = 2045;

/** Applications that EXEC knows here; any other gives `result=-2`, as in Asterisk. */
const applications: ReadonlySet<string> = new Set(['amd', 'answer', 'noop', 'playback', 'set', 'verbose', 'wait']);

const done = (line: string): Answer => ({ line: `200 ${line}`, code: 200, result: 'Success' });
const usage: Answer = {
  line: '520-Invalid command syntax.  Proper usage follows:\nSets a variable to the current channel.\n520 End of proper usage.',
  code: 520,
  result: 'Usage',
};
/** The client hung up, or the guard was over. */
const cut: Answer = { line: '200 result=-1', code: 200, result: 'Failure' };
const unknown: Answer = {
  line: '510 Invalid or unknown command',
  code: 510,
  result: 'Invalid or unknown command',
};

/** `AGI(agi:async)`: the channel waits in the dialplan and does what manager clients tell it. Events measured on Asterisk 22.10. */
export class AsyncAgi {
  /** Channels that are or were in AsyncAGI: Asterisk takes commands for both, and never runs those that came too late. */
  private readonly commands = new WeakMap<Channel, Command[]>();

  constructor(
    private readonly pbx: Pbx,
    private readonly listeners: Listeners,
  ) {}

  /** Puts a command on a channel; false when the channel was never in AsyncAGI or its bound of waiting commands is reached. */
  add(channel: Channel, text: string, id: string | undefined): boolean {
    const commands = this.commands.get(channel);
    if (!commands || commands.length >= limits.agiCommands) return false;
    commands.push({ text, id });
    return true;
  }

  /**
   * Serves the channel until `ASYNCAGI BREAK` (`done`) or the guard of the dialplan (`timeout`), which begins with `guardMs` and is
   * TIMEOUT(absolute). Throws {@link Interrupted} on a hang-up or redirect.
   */
  async serve(channel: Channel, args: readonly string[], guardMs: number): Promise<'done' | 'timeout'> {
    const commands: Command[] = [];
    this.commands.set(channel, commands);
    this.tell('AsyncAGIStart', channel, [['Env', encodeAgi(environment(channel, args)).slice(0, ENV_BYTES)]]);
    this.pbx.limit(channel, guardMs);
    try {
      for (;;) {
        await this.pbx.pause(POLL_MS, channel);
        for (let command = commands.shift(); command; command = commands.shift()) {
          if (await this.run(channel, command)) return this.end(channel, 'done');
        }
      }
    } catch (thrown) {
      this.end(channel, 'timeout');
      if (!(thrown instanceof Interrupted) || channel.interruption?.kind !== 'timeout') throw thrown;
      channel.interruption = undefined;
      return 'timeout';
    } finally {
      this.pbx.limit(channel, 0);
    }
  }

  private end(channel: Channel, how: 'done' | 'timeout'): 'done' | 'timeout' {
    this.tell('AsyncAGIEnd', channel, []);
    this.pbx.setVariable(channel, 'AGISTATUS', how === 'done' ? 'SUCCESS' : 'HANGUP');
    return how;
  }

  /** Runs one command and tells of it; true when the channel leaves AsyncAGI. Throws {@link Interrupted} after it told. */
  private async run(channel: Channel, { text, id }: Command): Promise<boolean> {
    const head: Header[] = [
      ['CommandId', randomInt(2 ** 31)],
      ['Command', text],
    ];
    this.tell('AGIExecStart', channel, head);
    let answer = cut;
    try {
      answer = await this.execute(channel, words(text));
    } finally {
      this.tell('AGIExecEnd', channel, [...head, ['ResultCode', answer.code], ['Result', answer.result]]);
      const result: Header[] = [['Result', encodeAgi(`${answer.line}\n`)]];
      this.tell('AsyncAGIExec', channel, id === undefined ? result : [...result, ['CommandId', id]]);
    }
    return answer.leaves ?? false;
  }

  private async execute(channel: Channel, [verb = '', noun = '', ...rest]: readonly string[]): Promise<Answer> {
    const [name, value] = rest;
    const { listeners } = this;
    switch (`${verb} ${noun}`.trim().toUpperCase()) {
      case 'ASYNCAGI BREAK':
        return { ...done('result=0'), leaves: true };
      case 'GET VARIABLE': {
        const found = name === undefined ? '' : this.pbx.getVariable(channel, name);
        return done(found === '' ? 'result=0' : `result=1 (${found})`);
      }
      case 'SET VARIABLE':
        if (name === undefined || value === undefined) return usage;
        this.pbx.setVariable(channel, name, value);
        return done('result=1');
      case 'ANSWER':
        this.pbx.setState(channel, 'Up');
        return done('result=0');
      case 'NOOP':
        return done('result=0');
      case 'STREAM FILE': {
        const key = await listeners.play(channel, [name ?? ''], value);
        return done(`result=${asciiOf(key)} endpos=8000`);
      }
      case 'WAIT FOR':
        return done(`result=${asciiOf(await listeners.key(channel, Number(value)))}`);
      case 'GET DATA': {
        const key =
          (await listeners.play(channel, [name ?? ''], '1')) || (await listeners.key(channel, Number(value ?? KEY_MS)));
        return done(key === '' ? 'result= (timeout)' : `result=${key}`);
      }
      case 'HANGUP':
        channel.interrupt({ kind: 'hangup', cause: 16, byFarEnd: false });
        return done('result=1');
      default:
        return verb.toUpperCase() === 'EXEC' ? this.runApplication(channel, noun, rest.join(' ')) : unknown;
    }
  }

  private async runApplication(channel: Channel, application: string, data: string): Promise<Answer> {
    const name = application.toLowerCase();
    if (!applications.has(name)) return { line: '200 result=-2', code: 200, result: 'Unknown Result' };
    if (name === 'answer') this.pbx.setState(channel, 'Up');
    if (name === 'amd') await this.listeners.detect(channel);
    if (name === 'playback') {
      await this.listeners.play(channel, data.split('&'));
      this.pbx.setVariable(channel, 'PLAYBACKSTATUS', 'SUCCESS');
    }
    const assignment = /^([^=]+)=(.*)$/.exec(data);
    if (name === 'set' && assignment) this.pbx.setVariable(channel, assignment[1] ?? '', assignment[2] ?? '');
    return done('result=0');
  }

  private tell(name: string, channel: Channel, more: readonly Header[]): void {
    this.pbx.emit(name, 'agi', [...channel.snapshot(), ...more]);
  }
}

/** A key as most commands tell it: the code of its character, 0 for none. */
function asciiOf(key: string): number {
  return key === '' ? 0 : key.charCodeAt(0);
}

/** Splits an AGI command as Asterisk does: blanks separate, quotes hold together, a backslash takes the next character as it is. */
function words(text: string): string[] {
  const found: string[] = [];
  for (const [, quoted, bare] of text.matchAll(/"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)/g)) {
    found.push((quoted ?? bare ?? '').replace(/\\(.)/g, '$1'));
  }
  return found;
}

function environment(channel: Channel, args: readonly string[]): string {
  const { caller } = channel;
  const values: Header[] = [
    ['request', 'async'],
    ['channel', channel.name],
    ['language', 'en'],
    ['type', channel.device.replace(/\/.*/, '')],
    ['uniqueid', channel.uniqueid],
    ['version', versions.asterisk],
    ['callerid', caller.num || 'unknown'],
    ['calleridname', caller.name || 'unknown'],
    ['callingpres', 0],
    ['callingani2', 0],
    ['callington', 0],
    ['callingtns', 0],
    ['dnid', channel.dialled || 'unknown'],
    ['rdnis', 'unknown'],
    ['context', channel.context],
    ['extension', channel.exten],
    ['priority', channel.priority],
    ['enhanced', '0.0'],
    ['accountcode', channel.accountCode],
    ['threadid', 140_000_000_000_000],
    ...args.map((value, index): Header => [`arg_${index + 1}`, value]),
  ];
  return `${values.map(([name, value]) => `agi_${name}: ${value}\n`).join('')}\n`;
}
