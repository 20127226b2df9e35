import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '../../../support/wait';

export type Headers = Readonly<Record<string, string>>;

/** One message as it came: headers in order, repeated ones kept. */
export class Message {
  constructor(readonly headers: readonly (readonly [name: string, value: string])[]) {}

  get(name: string): string | undefined {
    return this.headers.find(([header]) => header === name)?.[1];
  }

  get event(): string | undefined {
    return this.get('Event');
  }

  /** Everything but the ActionID, which each test makes up. */
  get body(): Headers {
    return Object.fromEntries(this.headers.filter(([name]) => name !== 'ActionID'));
  }

  get names(): string[] {
    return this.headers.map(([name]) => name);
  }
}

/** A manager client that does nothing but write and listen: what it sees is what is on the wire. */
export class BareClient {
  readonly messages: Message[] = [];
  greeting = '';
  text = '';
  closed = false;
  private rest = '';
  private ids = 0;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => this.received(String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<BareClient> {
    const client = new BareClient(connect(port, '127.0.0.1'));
    await once(client.socket, 'connect');
    await until(() => client.greeting !== '' || client.closed, 'the greeting');
    return client;
  }

  write(...lines: readonly string[]): void {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Sends an action and resolves with its answer; several values of one header repeat it. */
  async action(name: string, headers: Readonly<Record<string, string | readonly string[]>> = {}): Promise<Message> {
    return (await this.list(name, headers))[0]!;
  }

  /** As {@link action}, with the events that belong to the answer. */
  async list(name: string, headers: Readonly<Record<string, string | readonly string[]>> = {}): Promise<Message[]> {
    const id = `t${++this.ids}`;
    const lines = Object.entries(headers).flatMap(([key, value]) => [value].flat().map((each) => `${key}: ${each}`));
    this.write(`Action: ${name}`, `ActionID: ${id}`, ...lines);
    const mine = (): Message[] => this.messages.filter((message) => message.get('ActionID') === id);
    await until(() => {
      const [answer] = mine();
      if (!answer) return this.closed;
      return answer.get('EventList') !== 'start' || mine().at(-1)?.get('EventList') === 'Complete';
    }, `the answer to ${name}`);
    return mine();
  }

  /** Resolves with the first event of this name, as soon as it is there. */
  async event(name: string): Promise<Message> {
    const found = (): Message | undefined => this.messages.find((message) => message.event === name);
    await until(() => found() !== undefined, `the event ${name}; so far: ${this.events().join(' ')}`);
    return found()!;
  }

  /** Names of the events that came, in order. */
  events(): string[] {
    return this.messages.flatMap((message) => message.event ?? []);
  }

  /** Resolves when everything that was sent before is here. */
  async caughtUp(): Promise<void> {
    await this.action('Ping');
  }

  async waitClosed(): Promise<void> {
    await until(() => this.closed, 'the connection to be closed');
  }

  private received(chunk: string): void {
    this.text += chunk;
    this.rest += chunk;
    if (this.greeting === '') {
      const end = this.rest.indexOf('\r\n');
      if (end < 0) return;
      this.greeting = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + 2);
    }
    const parts = this.rest.split('\r\n\r\n');
    this.rest = parts.pop() ?? '';
    this.messages.push(...parts.map(parseMessage));
  }
}

export function parseMessage(text: string): Message {
  return new Message(
    text
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')] as const;
      }),
  );
}
