import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '../../fixtures/ami');

/** Recordings from a real Asterisk: the raw bytes after the greeting, by name. */
export function recordings(): { readonly name: string; readonly bytes: Buffer }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => ({ name: file.slice(0, -'.txt'.length), bytes: withoutHead(readFileSync(join(folder, file))) }));
}

/** Leaves out the comment lines and, where the recording has it, the greeting. */
function withoutHead(file: Buffer): Buffer {
  let start = 0;
  while (file[start] === ';'.charCodeAt(0)) start = file.indexOf('\n', start) + 1;
  if (file.toString('latin1', start, start + 13) === 'Asterisk Call') start = file.indexOf('\n', start) + 1;
  return file.subarray(start);
}
