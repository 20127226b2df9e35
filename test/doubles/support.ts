import * as http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as a double's handler sees it. */
export interface DoubleRequest {
  readonly method: string;
  /** The path, still encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a double answers: an object, array, number or boolean goes out as JSON, a text and bytes as they are. */
export interface DoubleReply {
  readonly status: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: unknown;
}

/**
 * What goes wrong with a request. `lost`: the work is done and the connection is reset instead of an answer. `reset`: reset before any
 * work. `hang`: no work and no answer. `stuck`: the work is done, the answer never comes. A reply: no work, this answer.
 */
export type Fault = 'lost' | 'reset' | 'hang' | 'stuck' | DoubleReply;

export interface FaultPlan {
  /** How many requests it hits (default 1). */
  readonly times?: number;
  /** Which ones (default every one). */
  readonly when?: (request: DoubleRequest) => boolean;
}

/** A gateway's own page, where JSON is expected. */
export const htmlPage: DoubleReply = {
  status: 502,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body: '<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>',
};

/** The HTTP server under a double: an ephemeral port of 127.0.0.1, every request kept, faults on demand. */
export class DoubleServer {
  readonly requests: DoubleRequest[] = [];
  /** How an answer goes out when the work is done; one that takes its time puts another here. */
  send: (answer: () => void) => void = (answer) => answer();
  private readonly sockets = new Set<Socket>();
  private readonly faults: {
    left: number;
    readonly fault: Fault;
    readonly when: (request: DoubleRequest) => boolean;
  }[] = [];
  private readonly server: http.Server;

  constructor(private readonly handle: (request: DoubleRequest) => DoubleReply) {
    this.server = http.createServer((request, response) => this.receive(request, response));
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** `http://127.0.0.1:…`, without a slash at the end. */
  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Lets the next requests (those that `when` names) fail; several plans are used up one after the other. */
  fail(fault: Fault, { times = 1, when = () => true }: FaultPlan = {}): void {
    this.faults.push({ left: times, fault, when });
  }

  /** Forgets the faults that have not happened yet. */
  heal(): void {
    this.faults.length = 0;
  }

  private receive(incoming: http.IncomingMessage, response: http.ServerResponse): void {
    response.on('error', () => undefined);
    incoming.on('error', () => undefined);
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const { pathname, searchParams } = new URL(url, 'http://double');
      const request = { method, path: pathname, query: searchParams, headers, body: Buffer.concat(chunks) };
      this.requests.push(request);
      this.answer(request, response);
    });
  }

  private answer(request: DoubleRequest, response: http.ServerResponse): void {
    const fault = this.takeFault(request);
    if (fault === 'hang') return;
    if (fault === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    if (typeof fault === 'object') {
      write(fault, response);
      return;
    }
    const reply = this.handle(request);
    if (fault === 'lost') response.socket?.resetAndDestroy();
    else if (fault === undefined) this.send(() => write(reply, response));
  }

  private takeFault(request: DoubleRequest): Fault | undefined {
    const plan = this.faults.find((one) => one.when(request));
    if (plan === undefined) return undefined;
    plan.left -= 1;
    if (plan.left <= 0) this.faults.splice(this.faults.indexOf(plan), 1);
    return plan.fault;
  }
}

/** What the doubles have in common: one server, what it was asked, and what a test does with it. */
export abstract class HttpDouble {
  readonly server = new DoubleServer((request) => this.handle(request));

  protected abstract handle(request: DoubleRequest): DoubleReply;

  async start(): Promise<this> {
    await this.server.start();
    return this;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  get origin(): string {
    return this.server.origin;
  }

  get requests(): readonly DoubleRequest[] {
    return this.server.requests;
  }
}

function write({ status, headers, body }: DoubleReply, response: http.ServerResponse): void {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
  response.writeHead(status, { ...(isRaw ? {} : { 'Content-Type': 'application/json; charset=utf-8' }), ...headers });
  response.end(isRaw ? body : JSON.stringify(body));
}
