// `npm run check`: the gate before a commit. Stops at the first step that fails.
// `-- --after-test` leaves out the tests that `npm test` ran just before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ensureInstalled, root, run, say } from './setup.mjs';

ensureInstalled();
const steps = [
  ['format', 'the layout of the code'],
  ['typecheck', 'the types'],
  ['layers', 'which room may know which'],
  ['unused', 'code and dependencies that nobody uses'],
  ['lint', 'the code and the scripts inside the editor pages'],
  ['coverage', 'unit and node tests, with coverage'],
  ['test:package', 'the packed tarball in a real Node-RED'],
  ['test:editor', 'the dialogs in Chromium'],
  ['test:pages', 'the pages of agents and of the wallboard in Chromium'],
];
const shell = process.platform === 'win32';
const argsOf = (script) => ['run', '--silent', script];

// It takes as long as the steps before it together, and runs beside them.
const lint = spawn('npm', argsOf('lint'), { cwd: root, stdio: 'inherit', shell });
const linted = once(lint, 'exit');
process.once('exit', () => lint.kill());

const leftOut = process.argv.includes('--after-test') ? 'coverage' : undefined;
for (const [script, what] of steps.filter(([name]) => name !== leftOut)) {
  say(`${script}: ${what}`);
  if (script !== 'lint') run('npm', argsOf(script), { shell });
  else {
    const [code] = await linted;
    if (code !== 0) process.exit(code ?? 1);
  }
}
say('everything is in order');
