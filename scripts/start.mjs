// `npm start`: a Node-RED on this machine only, with the pack and the first example in it, in a folder of the clone.
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { ensureBuilt, ensureInstalled, root, say } from './setup.mjs';

const port = Number(process.env.PORT ?? 1880);
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  say(`PORT=${process.env.PORT} is no port number; leave it out or give 1 to 65535`);
  process.exit(1);
}

await new Promise((resolve) => {
  const probe = createServer();
  probe.once('error', (error) => {
    say(
      error.code === 'EADDRINUSE'
        ? `port ${port} is taken, perhaps by a Node-RED that runs already; try PORT=${port === 65535 ? port - 1 : port + 1} npm start`
        : `cannot listen on 127.0.0.1:${port}: ${error.message}`,
    );
    process.exit(1);
  });
  probe.listen(port, '127.0.0.1', () => probe.close(resolve));
});

ensureInstalled();
ensureBuilt();

const userDir = join(root, '.userdir');
const flowFile = join(userDir, 'flows.json');
const packInUserDir = join(userDir, 'node_modules', '@telephony-crm', 'node-red-asterisk');

mkdirSync(dirname(packInUserDir), { recursive: true });
const userPackage = join(userDir, 'package.json');
if (!existsSync(userPackage)) {
  const dependencies = { '@telephony-crm/node-red-asterisk': 'file:..' };
  writeFileSync(
    userPackage,
    `${JSON.stringify({ name: 'telephony-crm-demo', private: true, dependencies }, null, 2)}\n`,
  );
}
rmSync(packInUserDir, { force: true, recursive: true });
symlinkSync(root, packInUserDir, process.platform === 'win32' ? 'junction' : 'dir');
if (!existsSync(flowFile)) {
  copyFileSync(join(root, 'examples', '01-routing-to-responsible.json'), flowFile);
  say('the example "Routing to the responsible manager" lies on the canvas');
}

const address = `http://127.0.0.1:${port}/`;

function tellWhenUp() {
  get(address, (response) => {
    response.resume();
    if (response.statusCode !== 200) return again();
    say(`ready: open ${address} in a browser; Ctrl-C here stops it`);
  }).on('error', again);
}

function again() {
  setTimeout(tellWhenUp, 200).unref();
}

say(`starting Node-RED on ${address}, user directory .userdir`);
const require = createRequire(import.meta.url);
process.argv = [
  process.execPath,
  'node-red',
  '--userDir',
  userDir,
  '--settings',
  join(root, 'scripts', 'demo-settings.cjs'),
  '--port',
  String(port),
];
require('node-red/red.js');
tellWhenUp();
