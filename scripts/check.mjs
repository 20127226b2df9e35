// `npm run check`: the gate before a commit. Stops at the first step that fails.
// `-- --after-test` leaves out the tests that `npm test` ran just before.
import { ensureInstalled, run, say } from './setup.mjs';

ensureInstalled();
const steps = [
  ['format', 'the layout of the code'],
  ['typecheck', 'the types'],
  ['lint', 'the code and the scripts inside the editor pages'],
  ['layers', 'which room may know which'],
  ['unused', 'code and dependencies that nobody uses'],
  ['coverage', 'unit and node tests, with coverage'],
  ['test:package', 'the packed tarball in a real Node-RED'],
  ['test:editor', 'the dialogs in Chromium'],
  ['test:pages', 'the pages of agents and of the wallboard in Chromium'],
];
const leftOut = process.argv.includes('--after-test') ? 'coverage' : undefined;
for (const [script, what] of steps.filter(([name]) => name !== leftOut)) {
  say(`${script}: ${what}`);
  run('npm', ['run', '--silent', script], { shell: process.platform === 'win32' });
}
say('everything is in order');
