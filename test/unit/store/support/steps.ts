import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Sqlite } from '../../../../lib/store/sqlite';

type Call = (this: unknown, ...args: unknown[]) => unknown;

/**
 * What a process that is killed (kill -9) would leave, at each step that `work` does to the disk: the files of the store as they are then, in a
 * folder of their own. Gives those copies of the store's file, in order.
 */
export async function leftAtEachStep(file: string, folder: string, work: () => Promise<unknown>): Promise<string[]> {
  const left: string[] = [];
  const step = (): void => {
    const place = join(folder, `step-${left.length + 1}`);
    mkdirSync(place);
    const copy = join(place, 'test.sqlite');
    for (const end of ['', '-wal', '.tally']) if (existsSync(file + end)) copyFileSync(file + end, copy + end);
    left.push(copy);
  };
  /** After each call of it there is a step: before it, the files are as the step before has left them. */
  const watch = (object: object, name: string): (() => void) => {
    const calls = object as Record<string, Call>;
    const call = calls[name]!;
    calls[name] = function (this: unknown, ...args) {
      const result = call.apply(this, args);
      step();
      return result;
    };
    return () => void (calls[name] = call);
  };
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- what `import` gives cannot be changed
  const files = require('node:fs') as object;
  const ends = [
    watch(Sqlite.prototype, 'exec'),
    ...['writeSync', 'fdatasyncSync', 'fsyncSync', 'renameSync'].map((name) => watch(files, name)),
  ];
  try {
    await work();
  } finally {
    for (const end of ends) end();
  }
  return left;
}
