// `npm run test:asterisk`: the tests against a real Asterisk, oldest and newest side by side: both wait for phones most of the time.
// `-- <arguments>` go to mocha; TELEPHONY_CRM_ASTERISK=16 narrows it to one.
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root, say } from './setup.mjs';

ensureInstalled();
// What both need is made once, before them. Whether there is an Asterisk at all, the tests themselves judge.
ensureBuilt();
spawnSync(join(root, 'scripts/asterisk/make-roots.sh'), { stdio: 'inherit' });

const mocha = createRequire(`${root}/package.json`).resolve('mocha/bin/mocha.js');
const args = [mocha, '--config', 'test/asterisk/.mocharc.json', ...process.argv.slice(2)];
const chosen = process.env.TELEPHONY_CRM_ASTERISK;
const versions = chosen ? [chosen] : ['22', '16'];

/** Runs the tests with one version; what they say is shown whole when they are over, not mixed with the other's. */
function tested(version) {
  return new Promise((resolve) => {
    const said = [];
    const env = { ...process.env, TELEPHONY_CRM_ASTERISK: version };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
    child.on('error', (error) => said.push(Buffer.from(`${error.message}\n`)));
    child.on('close', (code) => {
      say(`Asterisk ${version}`);
      process.stdout.write(Buffer.concat(said));
      resolve(code ?? 1);
    });
  });
}

say(`Asterisk ${versions.join(' and ')}: what the tests say comes when they are over …`);
const codes = await Promise.all(versions.map(tested));
process.exitCode = Math.max(...codes);
