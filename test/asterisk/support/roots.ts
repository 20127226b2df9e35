import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Oldest and newest Asterisk that the pack is tested with. */
export type AsteriskVersion = '22' | '16';

const ALL: readonly AsteriskVersion[] = ['22', '16'];
const PROJECT = resolve(__dirname, '../../..');

/** The root folder that holds this Asterisk, as `scripts/asterisk/make-roots.sh` makes it. */
export function rootOf(version: AsteriskVersion): string {
  return join(process.env.TELEPHONY_CRM_ASTERISK_DIR ?? '/opt/telephony-crm-test', `asterisk-${version}`);
}

/** The module folder inside the root: Debian moved it between the releases. */
export function moduleFolder(root: string): string {
  const machine = existsSync(join(root, 'usr/lib')) ? readdirSync(join(root, 'usr/lib')) : [];
  for (const folder of ['', ...machine.filter((name) => name.includes('-linux-'))]) {
    const path = join('/usr/lib', folder, 'asterisk/modules');
    if (existsSync(join(root, path, 'func_curl.so'))) return path;
  }
  throw new Error(`${root} holds no Asterisk modules: remove it and run scripts/asterisk/make-roots.sh`);
}

/**
 * The versions to test with, after making what was missing. `TELEPHONY_CRM_ASTERISK=16` narrows them to one.
 * A machine that can make no root at all (not root, no Debian archive) gets an empty list and is told so loudly;
 * with `CI` set that is an error, because a job that silently tests nothing is worse than a red one.
 */
function availableVersions(): AsteriskVersion[] {
  const made = spawnSync(join(PROJECT, 'scripts/asterisk/make-roots.sh'), { stdio: ['ignore', 'inherit', 'inherit'] });
  const asked = process.env.TELEPHONY_CRM_ASTERISK;
  const wanted = ALL.filter((version) => !asked || version === asked);
  const usable =
    made.status === 0 ? wanted.filter((version) => existsSync(join(rootOf(version), 'usr/sbin/asterisk'))) : [];
  if (usable.length > 0) return usable;

  const reason = `No Asterisk to test against (make-roots.sh ended with ${String(made.status ?? made.signal)}).`;
  if (process.env.CI) throw new Error(reason);
  process.stderr.write(
    `\n${'!'.repeat(80)}\n! ${reason}\n! The tests against a real Asterisk were LEFT OUT.\n${'!'.repeat(80)}\n\n`,
  );
  return [];
}

/** Runs the same tests once for every available version. */
export function describeAsterisk(title: string, body: (version: AsteriskVersion) => void): void {
  for (const version of versions()) describe(`${title} (Asterisk ${version})`, () => body(version));
}

let known: AsteriskVersion[] | undefined;
function versions(): AsteriskVersion[] {
  return (known ??= availableVersions());
}
