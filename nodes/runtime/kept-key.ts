import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { asError } from '../../lib/errors';
import { madeUserFolder, userFolder } from './user-folder';

/**
 * A random key of this installation: made once, kept beside the store in a file for the user of Node-RED alone, and in no flow, so that what
 * it signs outlives a restart, and no export and no editor tells it. `bad` makes the error that is thrown when it cannot be kept.
 */
export function keptKey(red: NodeAPI, name: string, bad: (problemEn: string, problemRu: string) => Error): Uint8Array {
  const file = join(userFolder(red), name);
  try {
    madeUserFolder(red);
    try {
      writeFileSync(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 });
    } catch (thrown) {
      if ((thrown as { readonly code?: string }).code !== 'EEXIST') throw thrown;
    }
    const key = readFileSync(file);
    if (key.length >= 32) return key;
  } catch (thrown) {
    const reason = (thrown as { readonly code?: string }).code ?? asError(thrown).name;
    throw bad(`the key ${file} cannot be kept (${reason}).`, `ключ ${file} не сохранить (${reason}).`);
  }
  throw bad(`the key in ${file} is too short: delete the file.`, `ключ в ${file} слишком короткий: удалите файл.`);
}
