import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AmiClient } from '../../lib/ami/types';
import { systemClock } from '../../lib/clock';
import type { Clock } from '../../lib/clock';
import type { RecordPayload } from '../../lib/messages/types';
import { recordTrace } from '../../lib/pbx/trace';

const MAIN = join(__dirname, '..', '..', 'lib', 'replay', 'main.ts');

/** The numbering plan of a replay, as a person writes it. */
type ReplayPlan = Readonly<Record<string, string | readonly string[]>>;

export const byCall = (records: readonly RecordPayload[]): RecordPayload[] =>
  [...records].sort((a, b) => (a.callId < b.callId ? -1 : 1));

/** Two traces of a live link, one with masked numbers, and what `telephony-crm-replay --records` makes of them. */
export class LiveTraces {
  private readonly folder = mkdtempSync(join(tmpdir(), 'traces-'));
  private readonly ends: (() => void)[] = [];
  private readonly ready: Promise<unknown>;

  constructor(client: AmiClient) {
    // The time that a recording takes is over when the test says so.
    const clock: Clock = {
      ...systemClock,
      after: (_ms, run) => {
        this.ends.push(run);
        return { cancel: () => undefined };
      },
    };
    const record = (maskNumbers: boolean) =>
      recordTrace(client, { file: this.file(maskNumbers), seconds: 900, maxBytes: 1e8, maskNumbers }, clock);
    this.ready = Promise.all([record(false), record(true)]);
  }

  async end(): Promise<void> {
    for (const end of this.ends) end();
    await this.ready;
  }

  /** In the order of the calls' ids. */
  replayed(plan: ReplayPlan, masked: boolean): RecordPayload[] {
    const planFile = join(this.folder, 'plan.json');
    writeFileSync(planFile, JSON.stringify(plan));
    const args = ['--require', 'tsx/cjs', MAIN, '--records', '--plan', planFile, this.file(masked)];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return byCall(lines.map((line) => JSON.parse(line) as RecordPayload));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private file(masked: boolean): string {
    return join(this.folder, masked ? 'masked.txt' : 'plain.txt');
  }
}

/** The numbers in a text: seven digits and more, without the counters in names of channels, ids and moments. */
const NUMBER = /(?<!\d)(?<!\d\.)(?!000[\da-f]{5}(?![\da-f]))\d{7,}(?!\.?\d)/g;

/**
 * Proves that two values are the same but for their phone numbers, whose last seven digits are others: the same number always
 * by the same digits. Returns how many numbers there are.
 */
export function assertSameButMasked(plain: unknown, masked: unknown): number {
  const instead = new Map<string, string>();
  const compare = (one: unknown, other: unknown, path: string): void => {
    if (typeof one === 'string' && typeof other === 'string') {
      assert.equal(other.replace(NUMBER, '#'), one.replace(NUMBER, '#'), path);
      const [numbers, others] = [one, other].map((text) => text.match(NUMBER) ?? []);
      numbers?.forEach((number, index) => {
        const mask = others?.[index] ?? '';
        assert.equal(mask.slice(0, -7), number.slice(0, -7), path);
        const [digits, shown] = [number.slice(-7), mask.slice(-7)];
        assert.notEqual(shown, digits, path);
        assert.equal(instead.get(digits) ?? shown, shown, path);
        instead.set(digits, shown);
      });
    } else if (typeof one === 'object' && one !== null && typeof other === 'object' && other !== null) {
      assert.deepEqual(Object.keys(other), Object.keys(one), path);
      for (const [key, value] of Object.entries(one)) {
        compare(value, (other as Record<string, unknown>)[key], `${path}.${key}`);
      }
    } else {
      assert.deepEqual(other, one, path);
    }
  };
  compare(plain, masked, '');
  return instead.size;
}
