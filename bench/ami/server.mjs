/**
 * Plays Asterisk for one reader at a time, in a process of its own: greets, lets anybody in, and on action `BenchFlood`
 * writes all events as fast as the reader takes them, then the answer; on action `Command` it answers with many lines.
 * Arguments: number of events, number of `Output:` lines. Sends `{ port, ... }` to its parent when it listens.
 */
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { repeatedEvents } from './corpus.mjs';

const WRITE_BYTES = 64 * 1024;
const [eventCount, outputLines] = process.argv.slice(2).map(Number);
const { bytes: events, ...about } = repeatedEvents(eventCount);
const output = Buffer.from(
  Array.from(
    { length: outputLines },
    (_, line) => `Output: ${line}  PJSIP/trunk-provider-0000${line % 100}  from-trunk  Up  00:01:${line % 60}\r\n`,
  ).join(''),
);

const answer = (id, ...headers) =>
  Buffer.from(['Response: Success', `ActionID: ${id}`, ...headers].join('\r\n') + '\r\n\r\n');

const fullyBooted = Buffer.from(
  'Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\nUptime: 86400\r\n\r\n',
);

const answers = {
  challenge: (id) => [answer(id, 'Challenge: 200419850')],
  login: (id) => [answer(id, 'Message: Authentication accepted'), fullyBooted],
  ping: (id) => [answer(id, 'Ping: Pong', 'Timestamp: 1795204705.385')],
  events: (id) => [answer(id, 'Events: On')],
  logoff: (id) => [Buffer.from(`Response: Goodbye\r\nActionID: ${id}\r\nMessage: Thanks for all the fish.\r\n\r\n`)],
  command: (id) => [
    Buffer.concat([
      Buffer.from(`Response: Success\r\nActionID: ${id}\r\nMessage: Command output follows\r\n`),
      output,
      Buffer.from('\r\n'),
    ]),
  ],
  benchflood: (id) => [events, answer(id)],
};

const header = (request, name) => new RegExp(`^${name}: *(.*)$`, 'im').exec(request)?.[1].trim() ?? '';

async function write(socket, bytes) {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += WRITE_BYTES) {
    if (socket.write(bytes.subarray(at, at + WRITE_BYTES))) continue;
    await new Promise((resolve) => {
      const go = () => {
        socket.off('drain', go).off('close', go);
        resolve();
      };
      socket.on('drain', go).on('close', go);
    });
  }
}

const server = createServer((socket) => {
  let rest = '';
  let writing = Promise.resolve();
  socket.setNoDelay(true).setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (text) => {
    const requests = (rest + text).split('\r\n\r\n');
    rest = requests.pop();
    for (const request of requests) {
      const action = header(request, 'Action').toLowerCase();
      const id = header(request, 'ActionID');
      const parts = answers[action]?.(id) ?? [answer(id)];
      writing = writing.then(async () => {
        for (const part of parts) {
          // One library reads the login's answer with one parser, the rest with another, and loses what is between.
          if (part === fullyBooted) await setTimeout(50);
          await write(socket, part);
        }
        if (action === 'logoff') socket.end();
      });
    }
  });
  socket.write('Asterisk Call Manager/11.0.0\r\n');
});

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port, ...about, bytes: events.length }));
