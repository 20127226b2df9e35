import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { until } from '../../support/wait';
import type { Answer, FlowServer } from './http';

/** What only the page itself sends. */
const OWN = { 'x-telephony-crm': '1' };

export interface Told {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly id?: string;
}

/** The table of agents and the hashes of their PINs, as the dialog saves them. */
export function withPins(hashes: Readonly<Record<string, string>>) {
  const lines = Object.entries(hashes);
  return {
    agents: lines.map(([extension], index) => ({ extension, slot: index + 1 })),
    credentials: Object.fromEntries(lines.map(([, hash], index) => [`pin${index + 1}`, hash])),
  };
}

/** Agents at their pages, as the server sees them. */
export class AgentsAtWork {
  private readonly streams = new Set<ClientRequest>();

  constructor(
    private readonly server: FlowServer,
    private readonly path = '/agent',
  ) {}

  post(what: string, body: unknown, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    return this.server.post(`${this.path}/${what}`, body, { ...OWN, ...headers });
  }

  /** The cookie of the session. */
  async signIn(extension: string, pin: string, headers: OutgoingHttpHeaders = {}): Promise<string> {
    const answer = await this.post('session', { extension, pin }, headers);
    assert.equal(answer.status, 200, answer.body);
    const cookie = answer.headers['set-cookie']?.find((each) => each.startsWith('telephony_agent=')) ?? '';
    assert.match(cookie, /^telephony_agent=[^;]+; HttpOnly; SameSite=Strict; Path=\S+\/; Max-Age=43200$/);
    return cookie.split(';')[0] ?? '';
  }

  /** What a stream tells, in a list that grows. Rejects when it is refused. */
  async listen(what: string, cookie = '', lastId?: string): Promise<Told[]> {
    const told: Told[] = [];
    let text = '';
    const { port } = this.server;
    const headers = { cookie, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
    const sent = request({ host: '127.0.0.1', port, path: `${this.path}/${what}`, headers, agent: false });
    this.streams.add(sent);
    sent.on('error', () => undefined);
    sent.on('close', () => this.streams.delete(sent));
    sent.end();
    const [res] = (await once(sent, 'response')) as [IncomingMessage];
    assert.equal(res.statusCode, 200);
    res.setEncoding('utf8');
    res.on('error', () => undefined);
    res.on('data', (chunk: string) => {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [name, data, id] = ['event', 'data', 'id'].map(
          (field) => new RegExp(`^${field}: (.*)$`, 'm').exec(block)?.[1],
        );
        if (name === undefined || data === undefined) continue;
        told.push({ name, data: JSON.parse(data) as Told['data'], ...(id === undefined ? {} : { id }) });
      }
    });
    return told;
  }

  /** How many streams the server has not ended. */
  get open(): number {
    return this.streams.size;
  }

  leave(): void {
    for (const stream of this.streams) stream.destroy();
  }
}

export const has = (told: readonly Told[], name: string, fits: (data: Told['data']) => boolean = () => true) =>
  until(() => told.some((each) => each.name === name && fits(each.data)), name);
