import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest } from 'node:http';

export interface StreamEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A listener to server-sent events whose data is JSON, as a browser is one. */
export class EventStream {
  readonly events: StreamEvent[] = [];

  private constructor(private readonly sent: ClientRequest) {}

  /** Resolves when the server has answered. */
  static async open(port: number, path: string, cookie = ''): Promise<EventStream> {
    const sent = request({ host: '127.0.0.1', port, path, headers: { cookie } });
    const stream = new EventStream(sent);
    let text = '';
    sent.on('error', () => undefined);
    sent.on('response', (res) => {
      res.setEncoding('utf8');
      res.on('error', () => undefined);
      res.on('data', (chunk: string) => {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) stream.take(block);
      });
    });
    sent.end();
    await once(sent, 'response');
    return stream;
  }

  named(name: string): StreamEvent['data'][] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data);
  }

  close(): void {
    this.sent.destroy();
  }

  private take(block: string): void {
    const name = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (name !== undefined && data !== undefined) {
      this.events.push({ name, data: JSON.parse(data) as StreamEvent['data'] });
    }
  }
}
