/**
 * The built-in simulator in a process of its own, and who watches it: a second manager session, which notes by the PBX's own time when each
 * call began and ended. Arguments: ms that a phone rings, ms that a message lasts. Sends its parent the address, then answers each
 * message of the parent with what was noted since the last one.
 */
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { createSimulator } = require(join(process.env.BENCH_PACK, 'dist', 'lib', 'simulator', 'index.js'));

const [ringMs, talkMs] = process.argv.slice(2).map(Number);
const simulator = createSimulator({ ringMs, talkMs });
const address = await simulator.start();

let began = [];
let ended = [];

function note(message) {
  const [, event, at] = /^Event: (Newchannel|Hangup)\r\n.*\r\nTimestamp: ([\d.]+)\r\n/.exec(message) ?? [];
  if (event === 'Newchannel') began.push(Number(at) * 1000);
  else if (event === 'Hangup') ended.push(Number(at) * 1000);
}

const watcher = connect(address.port, address.host);
let rest = '';
watcher.setEncoding('latin1').on('data', (piece) => {
  const messages = (rest + piece).split('\r\n\r\n');
  rest = messages.pop();
  messages.forEach(note);
});
watcher.write(`Action: Login\r\nUsername: ${address.username}\r\nSecret: ${address.secret}\r\nEvents: call\r\n\r\n`);

process.on('message', () => {
  process.send({ began, ended });
  began = [];
  ended = [];
});
process.send(address);
