// What `npm start` and `npm test` share: they make themselves ready and say what they do.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const say = (text) => process.stdout.write(`» ${text}\n`);

/** Runs a command in the clone, shows its output, and ends this process when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) say(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function newestBelow(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestBelow(join(path, name))));
}

/** Installs the dependencies when they are missing or the lock file changed since. */
export function ensureInstalled() {
  const stamp = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return;
  say('installing the dependencies (npm ci), a minute or two …');
  run('npm', ['ci', '--no-audit', '--no-fund'], { shell: process.platform === 'win32' });
}

/** Builds `dist` when a source is newer than it. */
export function ensureBuilt() {
  // What the build makes last.
  const built = join(root, 'dist', 'nodes', 'icons');
  const sources = ['lib', 'nodes', 'icons', 'tsconfig.build.json', 'scripts/build.mjs'].map((name) => join(root, name));
  if (existsSync(built) && statSync(built).mtimeMs >= Math.max(...sources.map(newestBelow))) return;
  say('building the nodes …');
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}
