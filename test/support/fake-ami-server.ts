import { createHash } from 'node:crypto';
import * as net from 'node:net';
import * as tls from 'node:tls';

export type FakeAction = Readonly<Record<string, string>>;
type Script = (action: FakeAction, connection: FakeConnection) => void;

export interface FakeServerOptions {
  readonly tls?: tls.TlsOptions;
  readonly greeting?: string;
  /** Whether the user has the class `system`, so that FullyBooted follows the login. */
  readonly fullyBooted?: boolean;
}

/** One client's connection, as the server sees it. */
export class FakeConnection {
  readonly actions: FakeAction[] = [];
  closed = false;
  loggedIn = false;
  private rest = '';

  constructor(
    readonly socket: net.Socket,
    private readonly onAction: Script,
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
    socket.on('data', (chunk) => this.read(chunk.toString('utf8')));
  }

  /** Writes headers as one message; the empty line is added. */
  send(...lines: string[]): void {
    this.raw(lines.join('\r\n') + '\r\n\r\n');
  }

  /** Answers an action; `answer` is the word, `lines` further headers. */
  answer(action: FakeAction, answer: string, ...lines: string[]): void {
    this.send(`Response: ${answer}`, `ActionID: ${action.ActionID ?? ''}`, ...lines);
  }

  raw(bytes: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** The TCP reset of a machine that lost its power and came back. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Half-open: the connection stays, nothing is read or said any more. */
  freeze(): void {
    this.socket.pause();
    this.socket.removeAllListeners('data');
  }

  private read(text: string): void {
    this.rest += text;
    for (;;) {
      const end = this.rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const action = parseAction(this.rest.slice(0, end));
      this.rest = this.rest.slice(end + 4);
      this.actions.push(action);
      this.onAction(action, this);
    }
  }
}

/**
 * An AMI server that plays scripts: by default it greets, logs in, answers a handful of actions; tests replace what it
 * says to each. It shares no code with the client, so that the mistakes of one do not hide those of the other.
 */
export class FakeAmiServer {
  readonly host = '127.0.0.1';
  readonly username = 'crm';
  readonly secret = 'fake secret';
  readonly connections: FakeConnection[] = [];
  /** When set, connections are taken but nothing is ever said. */
  mute = false;
  private readonly scripts = new Map<string, Script>();
  private readonly variables = new Map<string, string>();
  private readonly server: net.Server;
  private boundPort = 0;

  private constructor(private readonly options: FakeServerOptions) {
    const accept = (socket: net.Socket): void => this.accept(socket);
    this.server = options.tls ? tls.createServer(options.tls, accept) : net.createServer(accept);
    this.server.on('tlsClientError', () => undefined);
    for (const [name, script] of Object.entries(this.defaults())) this.on(name, script);
  }

  static async start(options: FakeServerOptions = {}): Promise<FakeAmiServer> {
    const server = new FakeAmiServer(options);
    await server.listen();
    return server;
  }

  get port(): number {
    return this.boundPort;
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (!last) throw new Error('nobody connected yet');
    return last;
  }

  /** Connections that are open. */
  get open(): number {
    return this.connections.filter((one) => !one.closed).length;
  }

  /** All actions of all connections, in order of connections. */
  get actions(): FakeAction[] {
    return this.connections.flatMap((one) => one.actions);
  }

  /** Replaces what the server does about an action. */
  on(action: string, script: Script): this {
    this.scripts.set(action.toLowerCase(), script);
    return this;
  }

  broadcast(...lines: string[]): void {
    for (const one of this.connections) if (one.loggedIn && !one.closed) one.send(...lines);
  }

  /** Goes away without a word, as a PBX that is switched off; {@link listen} brings it back on the same port. */
  async stop(): Promise<void> {
    for (const one of this.connections) one.socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.boundPort, this.host, () => resolve());
    });
    this.boundPort = (this.server.address() as net.AddressInfo).port;
  }

  private accept(socket: net.Socket): void {
    const connection = new FakeConnection(socket, (action, from) => this.act(action, from));
    this.connections.push(connection);
    if (!this.mute) connection.raw(this.options.greeting ?? 'Asterisk Call Manager/11.0.0\r\n');
  }

  private act(action: FakeAction, from: FakeConnection): void {
    if (this.mute) return;
    const name = action.Action?.toLowerCase() ?? '';
    if (!from.loggedIn && !['challenge', 'login'].includes(name)) {
      from.answer(action, 'Error', 'Message: Permission denied');
      return;
    }
    const script = this.scripts.get(name);
    if (script) script(action, from);
    else from.answer(action, 'Error', 'Message: Invalid/unknown command: ' + name);
  }

  private defaults(): Record<string, Script> {
    const nonce = '177969088';
    return {
      Challenge: (action, from) => from.answer(action, 'Success', `Challenge: ${nonce}`),
      Login: (action, from) => {
        const key = createHash('md5')
          .update(nonce + this.secret)
          .digest('hex');
        const known = action.Username === this.username;
        if (known && (action.Key === key || action.Secret === this.secret)) this.acceptLogin(action, from);
        else refuseLogin(action, from, 'Authentication failed');
      },
      Logoff: (action, from) => {
        from.answer(action, 'Goodbye', 'Message: Thanks for all the fish.');
        from.socket.end();
      },
      Ping: (action, from) => from.answer(action, 'Success', 'Ping: Pong', 'Timestamp: 1795204753.085042'),
      Setvar: (action, from) => {
        this.variables.set(action.Variable ?? '', action.Value ?? '');
        from.answer(action, 'Success', 'Message: Variable Set');
      },
      Getvar: (action, from) => {
        const name = action.Variable ?? '';
        from.answer(action, 'Success', `Variable: ${name}`, `Value: ${this.variables.get(name) ?? ''}`);
      },
      UserEvent: (action, from) => {
        from.answer(action, 'Success', 'Message: Event Sent');
        const own = Object.entries(action).filter(([name]) => name !== 'Action' && name !== 'ActionID');
        this.broadcast('Event: UserEvent', 'Privilege: user,all', ...own.map(([name, value]) => `${name}: ${value}`));
      },
      QueueStatus: (action, from) => {
        const id = `ActionID: ${action.ActionID ?? ''}`;
        from.answer(action, 'Success', 'EventList: start', 'Message: Queue status will follow');
        from.send('Event: QueueParams', 'Queue: sales', 'Max: 0', id);
        from.send('Event: QueueMember', 'Queue: sales', 'Name: Агент', id);
        from.send('Event: QueueStatusComplete', id, 'EventList: Complete', 'ListItems: 2');
      },
    };
  }

  private acceptLogin(action: FakeAction, from: FakeConnection): void {
    from.loggedIn = true;
    from.answer(action, 'Success', 'Message: Authentication accepted');
    if (this.options.fullyBooted ?? true) {
      from.send('Event: FullyBooted', 'Privilege: system,all', 'Uptime: 60', 'LastReload: 60', 'Status: Fully Booted');
    }
  }
}

/** What Asterisk does with a login it does not want: the answer, then the end. */
export function refuseLogin(action: FakeAction, from: FakeConnection, message: string): void {
  from.answer(action, 'Error', `Message: ${message}`);
  from.socket.end();
}

function parseAction(text: string): FakeAction {
  const action: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    // Header names in Asterisk's own spelling, whatever the client's.
    const known = ['Action', 'ActionID', 'Variable', 'Value', 'Username', 'Secret', 'Key', 'Events', 'UserEvent'];
    const spelled = known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
    action[spelled] = line.slice(colon + 1).trimStart();
  }
  return action;
}
