import { randomInt } from 'node:crypto';
import { Interrupted, type Channel } from './channel';
import { limits, versions } from './defaults';
import { encodeAgi, type Header } from './event-format';
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

/** Asterisk cuts `Env` here (measured): the arguments at its end may be missing. */
const ENV_BYTES = 2045;

/** Applications that EXEC knows here; any other gives `result=-2`, as in Asterisk. */
const applications: ReadonlySet<string> = new Set(['answer', 'noop', 'playback', 'set', 'verbose', 'wait']);

const done = (line: string): Answer => ({ line: `200 ${line}`, code: 200, result: 'Success' });
const usage: Answer = {
  line: '520-Invalid command syntax.  Proper usage follows:\nSets a variable to the current channel.\n520 End of proper usage.',
  code: 520,
  result: 'Usage',
};
const unknown: Answer = {
  line: '510 Invalid or unknown command',
  code: 510,
  result: 'Invalid or unknown command',
};

/** `AGI(agi:async)`: the channel waits in the dialplan and does what manager clients tell it. Events measured on Asterisk 22.10. */
export class AsyncAgi {
  /** Channels that are or were in AsyncAGI: Asterisk takes commands for both, and never runs those that came too late. */
  private readonly commands = new WeakMap<Channel, Command[]>();

  constructor(private readonly pbx: Pbx) {}

  /** Puts a command on a channel; false when the channel was never in AsyncAGI or its bound of waiting commands is reached. */
  add(channel: Channel, text: string, id: string | undefined): boolean {
    const commands = this.commands.get(channel);
    if (!commands || commands.length >= limits.agiCommands) return false;
    commands.push({ text, id });
    return true;
  }

  /**
   * Serves the channel until `ASYNCAGI BREAK` (`done`) or the guard of the dialplan (`timeout`, after `guardMs`).
   * Throws {@link Interrupted} on a hang-up or redirect; a command then outstanding is never answered.
   */
  async serve(channel: Channel, args: readonly string[], guardMs: number): Promise<'done' | 'timeout'> {
    const until = this.pbx.clock.monotonic() + guardMs;
    const commands: Command[] = [];
    this.commands.set(channel, commands);
    this.tell('AsyncAGIStart', channel, [['Env', encodeAgi(environment(channel, args)).slice(0, ENV_BYTES)]]);
    for (;;) {
      const left = until - this.pbx.clock.monotonic();
      if (left <= 0) return this.end(channel, 'timeout');
      if (await this.pbx.wait(Math.min(POLL_MS, left), channel)) {
        this.end(channel, 'timeout');
        throw new Interrupted(channel);
      }
      for (let command = commands.shift(); command; command = commands.shift()) {
        if (this.run(channel, command)) return this.end(channel, 'done');
      }
    }
  }

  private end(channel: Channel, how: 'done' | 'timeout'): 'done' | 'timeout' {
    this.tell('AsyncAGIEnd', channel, []);
    this.pbx.setVariable(channel, 'AGISTATUS', how === 'done' ? 'SUCCESS' : 'HANGUP');
    return how;
  }

  /** Runs one command and tells of it; true when the channel leaves AsyncAGI. */
  private run(channel: Channel, { text, id }: Command): boolean {
    const head: Header[] = [
      ['CommandId', randomInt(2 ** 31)],
      ['Command', text],
    ];
    this.tell('AGIExecStart', channel, head);
    const answer = this.execute(channel, words(text));
    this.tell('AGIExecEnd', channel, [...head, ['ResultCode', answer.code], ['Result', answer.result]]);
    const result: Header[] = [['Result', encodeAgi(`${answer.line}\n`)]];
    this.tell('AsyncAGIExec', channel, id === undefined ? result : [...result, ['CommandId', id]]);
    return answer.leaves ?? false;
  }

  private execute(channel: Channel, [verb = '', noun = '', ...rest]: readonly string[]): Answer {
    const [name, value] = rest;
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
      case 'HANGUP':
        channel.interrupt({ kind: 'hangup', cause: 16, byFarEnd: false });
        return done('result=1');
      default:
        return verb.toUpperCase() === 'EXEC' ? this.executeApplication(channel, noun, rest.join(' ')) : unknown;
    }
  }

  private executeApplication(channel: Channel, application: string, data: string): Answer {
    const name = application.toLowerCase();
    if (!applications.has(name)) return { line: '200 result=-2', code: 200, result: 'Unknown Result' };
    if (name === 'answer') this.pbx.setState(channel, 'Up');
    const assignment = /^([^=]+)=(.*)$/.exec(data);
    if (name === 'set' && assignment) this.pbx.setVariable(channel, assignment[1] ?? '', assignment[2] ?? '');
    return done('result=0');
  }

  private tell(name: string, channel: Channel, more: readonly Header[]): void {
    this.pbx.emit(name, 'agi', [...channel.snapshot(), ...more]);
  }
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
