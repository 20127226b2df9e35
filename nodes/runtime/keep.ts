import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import type { Keep } from '../../lib/crm/types';
import { asError } from '../../lib/errors';
import type { TelephonyError } from '../../lib/errors';
import { wordsFor } from './language';
import { madeUserFolder, userFolder } from './user-folder';

const FOLDER = 'sign-ins';

/**
 * One file for each sign-in in the user directory, readable by the user of Node-RED alone: credentials can be changed by a deploy
 * only, and tokens change by themselves. The texts come sealed.
 */
export class SignInFiles implements Keep {
  /** One write at a time, so that the last one asked for is the one that stays. */
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly red: NodeAPI) {}

  warn(problem: TelephonyError): void {
    this.red.log.warn(wordsFor(this.red, { type: 'crm-config' }, problem));
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(userFolder(this.red), FOLDER, name), 'utf8');
    } catch (thrown) {
      if ((asError(thrown) as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw thrown;
    }
  }

  write(name: string, text: string): Promise<void> {
    const written = this.last.then(() => this.replace(name, text));
    this.last = written.catch(() => undefined);
    return written;
  }

  private async replace(name: string, text: string): Promise<void> {
    const target = join(madeUserFolder(this.red, FOLDER), name);
    const part = `${target}.new`;
    await rm(part, { force: true });
    const file = await open(part, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, target);
  }
}
