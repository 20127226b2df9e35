import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../../../support/wait';
import type { ChildMessage } from './child';

/** A process with a store of its own. */
export class StoreProcess {
  readonly messages: ChildMessage[] = [];
  readonly pid: number;
  private complaint = '';

  private constructor(private readonly child: ChildProcess) {
    this.pid = child.pid ?? 0;
    child.on('message', (message) => this.messages.push(message as ChildMessage));
    child.stderr?.on('data', (text: Buffer) => (this.complaint += text.toString()));
  }

  /** @param blocks largest size of a file, in blocks of the shell's `ulimit -f`, that can be raised later */
  static start(args: readonly (string | number)[], blocks?: number): StoreProcess {
    const node = [process.execPath, '--require', 'tsx/cjs', join(__dirname, 'child.ts'), ...args.map(String)];
    const [command = '', ...rest] =
      blocks === undefined ? node : ['/bin/sh', '-c', `ulimit -S -f ${blocks}; exec "$@"`, 'sh', ...node];
    return new StoreProcess(spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }));
  }

  /** The numbers of the groups that were said to be on disk. */
  get kept(): number[] {
    return this.messages.flatMap((message) => (message.type === 'kept' ? [message.group] : []));
  }

  /** The last step of each order that was said to be on disk, by its id. */
  get steps(): Map<number, number> {
    return new Map(this.messages.flatMap((message) => (message.type === 'step' ? [[message.id, message.step]] : [])));
  }

  async waitFor(what: string, condition: (messages: readonly ChildMessage[]) => boolean): Promise<void> {
    await until(
      () => {
        if (this.child.exitCode !== null) throw new Error(`the process ended: ${this.complaint}`);
        return condition(this.messages);
      },
      what,
      30_000,
    );
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
