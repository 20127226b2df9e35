// The node tests and the packed tarball on every Node-RED and Node that the README promises. Needs the npm registry, no root.
// `--after-check` leaves out the pair with which `npm run check` ran just before: this Node, and the Node-RED of the lock file.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ensureBuilt, ensureInstalled, root, run, say } from './setup.mjs';

const pairs = [
  { nodeRed: '4.1', node: 20 },
  { nodeRed: '4.1', node: 22 },
  { nodeRed: '5.0', node: 22 },
  { nodeRed: '5.0', node: 24, dialogs: true },
];

/** Installs one package into a folder of its own under .cache and returns where it lies. */
function fetched(name, range) {
  const folder = join(root, '.cache', 'matrix', `${name}-${range}`);
  const where = join(folder, 'node_modules', name);
  if (!existsSync(join(where, 'package.json'))) {
    say(`fetching ${name} ${range} …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    // The package `node` brings its program by an install script of its own.
    run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', '--foreground-scripts', `${name}@${range}`], {
      cwd: folder,
      shell: process.platform === 'win32',
    });
  }
  return where;
}

const ownMajor = Number(process.versions.node.split('.')[0]);

/** Whether this machine tests with this pair anyway. */
function isOwn({ nodeRed, node }) {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/node-red/package.json'), 'utf8'));
  return node === ownMajor && version.startsWith(`${nodeRed}.`);
}

function nodeProgram(major) {
  if (ownMajor === major) return process.execPath;
  return join(fetched('node', String(major)), 'bin', 'node');
}

ensureInstalled();
ensureBuilt();
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const isAfterCheck = process.argv.includes('--after-check');
for (const pair of pairs.filter((one) => !isAfterCheck || !isOwn(one))) {
  const program = nodeProgram(pair.node);
  const env = {
    ...process.env,
    TEST_NODE: program,
    TEST_NODE_RED: fetched('node-red', `~${pair.nodeRed}.0`),
    PATH: `${dirname(program)}${delimiter}${process.env.PATH}`,
  };
  say(`Node-RED ${pair.nodeRed} on Node ${pair.node}`);
  run(program, [mocha, '--reporter', 'dot', '--config', 'test/nodes/.mocharc.json'], { env });
  run(program, [mocha, '--config', 'test/package/.mocharc.json'], { env });
  // Only Node-RED 5 has a dark theme; the light one of 4.1 is looked at by `npm run check`.
  if (pair.dialogs) run(program, [mocha, '--config', 'test/editor/.mocharc.json'], { env });
}
