import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { formatSip, header, isRequest, parseSip, type SipRequest, type SipResponse } from './message';

export const token = (): string => randomBytes(6).toString('hex');

/** RFC 3261 T1: how long UDP waits before it says it again. */
const RETRANSMIT_MS = 500;
const GIVE_UP_MS = 32_000;

type RequestHandler = (request: SipRequest) => void;

/**
 * One UDP socket that speaks SIP to one server: sends requests until they are answered, and answers a repeated request
 * as it answered the first.
 */
export class SipEndpoint {
  private readonly socket = createSocket('udp4');
  private readonly waiting = new Map<string, { onResponse: (response: SipResponse) => void; stop: () => void }>();
  /** What was answered to which request, for repetitions; the oldest go first. */
  private readonly answered = new Map<string, string>();
  private readonly repeating = new Set<NodeJS.Timeout>();
  private onRequest: RequestHandler = () => undefined;

  constructor(readonly serverPort: number) {
    this.socket.on('message', (data) => this.receive(data.toString()));
    // ICMP "port unreachable" of a server that is down: retransmission and time-out tell the caller.
    this.socket.on('error', () => undefined);
  }

  async open(onRequest: RequestHandler): Promise<void> {
    this.onRequest = onRequest;
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return this.socket.address().port;
  }

  get server(): string {
    return `127.0.0.1:${this.serverPort}`;
  }

  /** A fresh Via header; the branch names the transaction. */
  via(branch = `z9hG4bK${token()}`): [string, string] {
    return ['Via', `SIP/2.0/UDP 127.0.0.1:${this.port};rport;branch=${branch}`];
  }

  /** Sends a request, again and again until something answers; every response goes to `onResponse`. */
  request(request: SipRequest, onResponse: (response: SipResponse) => void): void {
    const text = formatSip(request);
    const stop = this.repeat(text);
    this.waiting.set(transactionOf(request, request.start.method), { onResponse, stop });
    this.sendText(text);
  }

  /** Sends what nobody answers: an ACK. */
  send(message: SipRequest): void {
    this.sendText(formatSip(message));
  }

  /** Answers a request. A 2xx to an INVITE is repeated until the returned function is called (the ACK came). */
  respond(request: SipRequest, status: number, reason: string, extra: [string, string][] = [], body = ''): () => void {
    const copied = request.headers.filter(([name]) => /^(via|from|call-id|cseq|record-route)$/i.test(name));
    const headers = [...copied, ...(extra.some(([name]) => name === 'To') ? [] : [toOf(request)]), ...extra];
    const text = formatSip({ start: { status, reason }, headers, body });
    this.answered.set(transactionOf(request, request.start.method), text);
    if (this.answered.size > 200) this.answered.delete(this.answered.keys().next().value!);
    this.sendText(text);
    return request.start.method === 'INVITE' && status >= 200 && status < 300 ? this.repeat(text) : () => undefined;
  }

  close(): void {
    for (const timer of this.repeating) clearInterval(timer);
    this.socket.close();
  }

  private repeat(text: string): () => void {
    const timer = setInterval(() => this.sendText(text), RETRANSMIT_MS);
    const end = setTimeout(() => stop(), GIVE_UP_MS);
    const stop = () => {
      for (const each of [timer, end]) {
        clearInterval(each);
        this.repeating.delete(each);
      }
    };
    this.repeating.add(timer).add(end);
    return stop;
  }

  private sendText(text: string): void {
    this.socket.send(text, this.serverPort, '127.0.0.1');
  }

  private receive(text: string): void {
    const message = parseSip(text);
    if (!message) return;
    if (isRequest(message)) {
      const before = this.answered.get(transactionOf(message, message.start.method));
      if (before === undefined) this.onRequest(message);
      else this.sendText(before);
      return;
    }
    const response = message as SipResponse;
    const method = header(response, 'CSeq').split(' ')[1] ?? '';
    const transaction = this.waiting.get(transactionOf(response, method));
    transaction?.stop();
    transaction?.onResponse(response);
  }
}

function transactionOf(message: SipRequest | SipResponse, method: string): string {
  const branch = /branch=([^;,\s]+)/.exec(header(message, 'Via'))?.[1] ?? '';
  return `${method} ${branch}`;
}

function toOf(request: SipRequest): [string, string] {
  return ['To', header(request, 'To')];
}
