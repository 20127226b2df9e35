import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';

/** Node-RED's user directory. */
export function userDir(red: NodeAPI): string {
  const settings = red.settings as unknown as { readonly userDir?: string };
  return settings.userDir ?? join(homedir(), '.node-red');
}

/** The folder of everything that the pack keeps, below Node-RED's user directory; perhaps not made yet. */
export const userFolder = (red: NodeAPI): string => join(userDir(red), 'telephony-crm');

/**
 * The same, or a folder in it, made when it is not there: calls are nobody else's business. The rights of one that is there are
 * the admin's own choice. Throws what the filesystem throws.
 */
export function madeUserFolder(red: NodeAPI, name = ''): string {
  const folder = join(userFolder(red), name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
