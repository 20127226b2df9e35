import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { NodeAPI, NodeInitializer } from 'node-red';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  /** A list of values repeats the header. */
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** Node-RED's HTTP server of flows on a real socket: load {@link FlowServer.init} before the nodes. */
export class FlowServer {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private app: RequestListener | undefined;
  /** To be loaded with the nodes: it catches the application that they serve. */
  readonly init: NodeInitializer;

  /** @param settings what the admin wrote into Node-RED's settings */
  constructor(settings: Readonly<Record<string, unknown>> = {}) {
    this.init = (red: NodeAPI) => {
      this.app = red.httpNode;
      red.settings = { ...red.settings, ...settings };
    };
  }

  get port(): number {
    return (this.server?.address() as AddressInfo).port;
  }

  /** Connections open now, as the server sees them. */
  get connections(): number {
    return this.sockets.size;
  }

  async listen(): Promise<void> {
    this.server = createServer((req, res) => this.app?.(req, res));
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.server) return;
    this.server.close();
    await once(this.server, 'close');
  }

  /** The layers of the application's router: what a deploy could leave behind. */
  get layers(): number {
    return (this.app as unknown as { readonly _router: { readonly stack: readonly unknown[] } })._router.stack.length;
  }

  /** One request on a connection of its own. */
  ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: this.port, path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** As {@link ask}, with a JSON body. */
  post(path: string, body: unknown, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text });
  }
}
