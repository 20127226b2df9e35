/** The other libraries, each used as its README says, told to deliver all events as UTF-8 and to log nothing. */
import { once } from 'node:events';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Counts the events that arrive until `ask(done)` calls `done`. */
const counting = (emitter, event, ask) => () => {
  let seen = 0;
  emitter.on(event, () => (seen += 1));
  return new Promise((resolve) => ask(() => resolve(seen)));
};

export async function openAsteriskManager(port) {
  const ami = require('asterisk-manager')(port, '127.0.0.1', 'bench', 'bench', true);
  await once(ami, 'fullybooted');
  return {
    flood: counting(ami, 'managerevent', (done) => ami.action({ action: 'BenchFlood' }, done)),
    output: () =>
      new Promise((resolve) =>
        ami.action({ action: 'Command', command: 'core show channels' }, (error, answer) =>
          resolve(answer.output.length),
        ),
      ),
  };
}

export async function openYana(port) {
  const Ami = require('yana');
  const ami = new Ami({ port, host: '127.0.0.1', login: 'bench', password: 'bench', events: true });
  ami.connect();
  await once(ami, 'FullyBooted');
  return { flood: counting(ami, 'event', (done) => ami.send({ Action: 'BenchFlood' }, done)) };
}

export async function openAmiIo(port) {
  const AmiIo = require('ami-io');
  const ami = AmiIo.createClient({
    port,
    login: 'bench',
    password: 'bench',
    encoding: 'utf8',
    logger: new AmiIo.SilentLogger(),
  });
  ami.connect();
  await once(ami, 'rawEvent.FullyBooted');
  const ask = (done) => {
    const action = new AmiIo.Action.Ping();
    action.set('Action', 'BenchFlood');
    ami.send(action, done);
  };
  return { flood: counting(ami, 'event', ask) };
}

export async function openAsteriskAmiClient(port) {
  const Client = require('asterisk-ami-client');
  const client = new Client();
  const booted = once(client, 'FullyBooted');
  await client.connect('bench', 'bench', { host: '127.0.0.1', port });
  await booted;
  const ask = (done) => {
    client.once('resp_flood', done);
    client.action({ Action: 'BenchFlood', ActionID: 'flood' });
  };
  return { flood: counting(client, 'event', ask) };
}
