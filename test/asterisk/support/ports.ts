import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the range from which the system hands out ports by itself, above the one of rtp.conf. */
const FIRST = 20_000;
const LAST = 31_999;

const taken = new Set<number>();

/** A port of 127.0.0.1 that is free for TCP and UDP, and that this process has not handed out before. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (taken.has(port)) continue;
    taken.add(port);
    if ((await freeForTcp(port)) && (await freeForUdp(port))) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`);
}

function freeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function freeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}
