import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export type Certificate = 'right' | 'other' | 'expired' | 'self-signed';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** What the CRM does with a request. It may answer, or not, or badly. */
export type Behaviour = (request: SeenRequest, response: http.ServerResponse) => void;

/** A PEM file of the test certificates. */
export const certificate = (name: Certificate | 'authority'): string =>
  readFileSync(join(__dirname, '../fixtures/crm-tls', `${name}.pem`), 'utf8');

/** A CRM on 127.0.0.1 that does what a test tells it to. */
export class FakeCrm {
  readonly requests: SeenRequest[] = [];
  private readonly sockets = new Set<Socket>();
  private server: http.Server | undefined;

  constructor(
    public behave: Behaviour,
    private readonly tls?: Certificate,
  ) {}

  async start(): Promise<this> {
    const handle: http.RequestListener = (request, response) => {
      response.on('error', () => undefined);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => undefined);
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const seen = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
        this.requests.push(seen);
        this.behave(seen, response);
      });
    };
    const pem = this.tls === undefined ? undefined : certificate(this.tls);
    const server = pem === undefined ? http.createServer(handle) : https.createServer({ key: pem, cert: pem }, handle);
    server.on('tlsClientError', () => undefined);
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.server = server;
    return this;
  }

  get port(): number {
    return (this.server?.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:…`, without a slash at the end. */
  get origin(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Connections open now, as the CRM sees them. */
  get connections(): number {
    return this.sockets.size;
  }

  /** Breaks every connection, as a restart of the CRM does. */
  breakConnections(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Answers with JSON. */
export const json =
  (body: unknown, status = 200, headers: http.OutgoingHttpHeaders = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };

/** Answers with any text. */
export const text =
  (body: string | Buffer, contentType: string, status = 200, headers: http.OutgoingHttpHeaders = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'Content-Type': contentType, ...headers });
    response.end(body);
  };

/** Takes the request and says nothing. */
export const silence: Behaviour = () => undefined;

/** Writes `chunk` again and again until the other side has gone or `times` is reached. */
function pour(response: http.ServerResponse, chunk: Buffer | string, everyMs: number, times = Infinity): void {
  let written = 0;
  const next = () => {
    if (response.destroyed || response.socket?.destroyed) return;
    written += 1;
    if (written > times) response.end();
    else response.write(chunk, () => setTimeout(next, everyMs));
  };
  next();
}

/** A valid beginning and then white space for ever, as fast as a slow server. */
export const neverEndingBody: Behaviour = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.write('{');
  pour(response, ' ', 20);
};

/** 50 MB without a Content-Length that would give it away. */
export const hugeBody: Behaviour = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  pour(response, Buffer.alloc(1024 * 1024, 0x20), 0, 50);
};

/** 50 MB that are 50 KB on the wire. */
export const gzipBomb: Behaviour = (_request, response) => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 0x20));
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' });
  response.end(bomb);
};

/** One header line every 20 ms, never the end of the header. */
export const headerDrip: Behaviour = (_request, response) => {
  const { socket } = response;
  socket?.write('HTTP/1.1 200 OK\r\n');
  const drip = () => {
    if (socket === null || socket.destroyed) return;
    socket.write('X-Drip: a\r\n', () => setTimeout(drip, 20));
  };
  drip();
};

/** Half an answer, then a reset. */
export const resetMidBody: Behaviour = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
  response.write('{"list":[', () => response.socket?.resetAndDestroy());
};

/** Half an answer, then an orderly end too soon. */
export const endMidBody: Behaviour = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
  response.write('{"list":[', () => response.socket?.end());
};

/** Does the first with the first request, the second with the second …, and the last with all others. */
export function inTurn(...behaviours: Behaviour[]): Behaviour {
  let turn = 0;
  return (request, response) => behaviours[Math.min(turn++, behaviours.length - 1)]?.(request, response);
}
