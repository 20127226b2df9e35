import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order, OrderOutcome, OrderProgress } from '../../../lib/dialer/types';
import { until } from '../../support/wait';
import type { Task, Word, Work } from './dialler-process';

/** A dialler in a process of its own, on a store that outlives it, and all that it ever told. */
export class KillableDialler {
  /** By key; a second telling of the same outcome is one more. */
  readonly outcomes = new Map<string, OrderOutcome[]>();
  readonly progress: OrderProgress[] = [];
  readonly refused: string[] = [];
  readonly warnings: string[] = [];
  isUp = false;
  isReady = false;
  private child: ChildProcess | undefined;
  private said = '';
  private readonly folder = mkdtempSync(join(tmpdir(), 'telephony-crm-dialler-'));

  constructor(private readonly work: Omit<Work, 'file'>) {}

  /** Starts it, and waits until its link is up. */
  async start(): Promise<void> {
    const work: Work = { ...this.work, file: join(this.folder, 'orders.sqlite') };
    const child = fork(join(__dirname, 'dialler-process.ts'), [JSON.stringify(work)], {
      execArgv: ['--require', 'tsx/cjs'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    child.on('message', (word: Word) => this.hear(word));
    this.child = child;
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`the dialler ended by itself: ${this.said}`);
        return this.isUp;
      },
      'the link of the dialler',
      60_000,
    );
  }

  /** Orders; whatever is known by its key already is not ordered again. */
  place(orders: readonly Order[]): void {
    this.child?.send({ place: orders } satisfies Task);
  }

  cancelAll(): void {
    this.child?.send('cancel' satisfies Task);
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child?.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
    this.isUp = this.isReady = false;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The outcome of an order. */
  outcomeOf(key: string): OrderOutcome | undefined {
    return this.outcomes.get(key)?.[0];
  }

  /** What is told when a test fails. */
  get story(): string {
    return [...this.warnings, this.said].join('\n').slice(-4000);
  }

  private hear(word: Word): void {
    switch (word.kind) {
      case 'link':
        this.isUp = word.isUp;
        this.isReady = word.isReady;
        break;
      case 'progress':
        this.progress.push(word.progress);
        break;
      case 'outcome': {
        const key = word.outcome.key ?? '';
        this.outcomes.set(key, [...(this.outcomes.get(key) ?? []), word.outcome]);
        break;
      }
      case 'refused':
        this.refused.push(`${word.key ?? ''} ${word.code}`);
        break;
      case 'warned':
        this.warnings.push(word.text);
        break;
    }
  }
}
