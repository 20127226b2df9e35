/** The limit of the machine: a socket, the decoder and the least code that could be called reading. No checks, no bounds. */
import { connect } from 'node:net';

/** Hands on each message as one string. */
export const split = (message) => message;

/** Hands on each message as an object: one value = string, a repeated header = array. */
export function parse(message) {
  const headers = Object.create(null);
  let at = 0;
  while (at < message.length) {
    let end = message.indexOf('\r\n', at);
    if (end === -1) end = message.length;
    const colon = message.indexOf(': ', at);
    if (colon !== -1 && colon < end) {
      const name = message.slice(at, colon);
      const value = message.slice(colon + 2, end);
      const before = headers[name];
      if (before === undefined) headers[name] = value;
      else if (Array.isArray(before)) before.push(value);
      else headers[name] = [before, value];
    }
    at = end + 2;
  }
  return headers;
}

export async function openBare(port, read) {
  const socket = connect(port, '127.0.0.1');
  let rest = '';
  let seen = 0;
  let last;
  let onMessage = () => {};
  socket.setNoDelay(true).setEncoding('utf8');
  socket.on('data', (text) => {
    rest += text;
    let at = 0;
    for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n', at)) {
      last = read(rest.slice(at, end));
      seen += 1;
      at = end + 4;
    }
    rest = rest.slice(at);
    onMessage();
  });
  const until = (isDone) =>
    new Promise((resolve) => {
      onMessage = () => isDone() && resolve();
    });
  const isAnswer = (id) => (typeof last === 'string' ? last.includes(`ActionID: ${id}`) : last?.ActionID === id);

  socket.write('Action: Login\r\nUsername: bench\r\nSecret: bench\r\nActionID: 1\r\n\r\n');
  await until(() => seen === 2); // the answer and FullyBooted
  return {
    async flood() {
      seen = 0;
      socket.write('Action: BenchFlood\r\nActionID: 2\r\n\r\n');
      await until(() => isAnswer('2'));
      return seen - 1;
    },
  };
}
