import * as net from 'node:net';
import * as tls from 'node:tls';
import { asError, type TelephonyError } from '../errors';
import { toWire } from './encode';
import { amiError } from './errors';
import { Framer } from './framing';
import { MAX_UNSENT_BYTES } from './limits';
import { TextMessage } from './message';
import type { HeaderLine, Incoming, ReadMessage, Transport, TransportSink } from './transport';
import type { AmiClientOptions } from './types';

const GREETING = /^Asterisk Call Manager\/(\S+)/;
const EVENT = 'Event: ';
const RESPONSE = 'Response: ';
const KEEP_ALIVE_MS = 30_000;
/** Errors of the network itself; any other one before the TLS line is up comes from the certificate or the protocol. */
const NETWORK_ERROR = /^(E(CONN|HOST|NET|TIMEDOUT|PIPE|ADDR|AI_|ACCES)|ENOTFOUND)/;

/**
 * One connection over TCP or TLS. With TLS the authority and the name are always checked and nothing switches that off:
 * a self-signed certificate is trusted by giving it as the authority.
 */
export class SocketTransport implements Transport {
  private readonly socket: net.Socket;
  private readonly framer: Framer;
  private readonly frame = new Frame();
  private error: Error | undefined;
  private secured = false;
  private over = false;

  /** Throws when the options cannot be used at all (a bad port, a broken PEM). */
  constructor(
    private readonly options: AmiClientOptions,
    private readonly place: string,
    private readonly sink: TransportSink,
  ) {
    this.framer = new Framer({
      greeting: (line) => this.greeting(line),
      frame: (head, bytes, start, end) => this.sink.receive(this.frame.set(head, bytes, start, end)),
      overflow: (what, limit) => this.overflow(what, limit),
    });
    this.socket = connect(options, place);
    this.socket.on('error', (error) => (this.error ??= error));
    this.socket.on('close', () => this.closed());
    this.socket.on(options.tls ? 'secureConnect' : 'connect', () => this.connected());
    this.socket.on('data', (chunk) => this.framer.push(chunk));
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  send(lines: readonly HeaderLine[]): boolean {
    if (this.socket.writableLength > MAX_UNSENT_BYTES) return false;
    if (this.socket.writable) this.socket.write(toWire(lines));
    return true;
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.over = true;
    this.framer.stop();
    this.socket.destroy();
  }

  private connected(): void {
    if (this.over) return;
    this.secured = true;
    this.sink.connected();
  }

  private greeting(line: string): void {
    const version = GREETING.exec(line)?.[1];
    if (version === undefined) this.lose(amiError('AMI_NOT_ASTERISK', { place: this.place }), true);
    else this.sink.greeted(version);
  }

  private overflow(what: 'greeting' | 'line' | 'message', limit: number): void {
    if (what === 'greeting') this.lose(amiError('AMI_NOT_ASTERISK', { place: this.place }), true);
    else {
      const whatRu = what === 'line' ? 'строка' : 'сообщение';
      this.lose(amiError('AMI_MESSAGE_TOO_LONG', { place: this.place, whatEn: what, whatRu, limit }), false);
    }
  }

  private closed(): void {
    const { place, error } = this;
    if (!this.secured) this.lose(...openError(error, place, this.options.tls !== undefined));
    else if (error && isTlsError(error)) this.lose(tlsRefused(error, place), true);
    else
      this.lose(
        amiError('AMI_LINK_LOST', { place, reason: error?.message ?? 'closed by the other side' }, error),
        false,
      );
  }

  private lose(...how: Parameters<TransportSink['lost']>): void {
    if (this.over) return;
    this.destroy();
    this.sink.lost(...how);
  }
}

/** The message being handed over: one object for all, nothing is read from it until somebody asks. */
class Frame implements Incoming {
  kind: Incoming['kind'] = 'other';
  name = '';
  private bytes: Buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;

  set(head: string, bytes: Buffer, start: number, end: number): this {
    const isEvent = head.startsWith(EVENT);
    this.kind = isEvent ? 'event' : head.startsWith(RESPONSE) ? 'response' : 'other';
    this.name = isEvent ? head.slice(EVENT.length) : head.slice(RESPONSE.length);
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }

  read(): ReadMessage {
    const text = this.bytes.toString('utf8', this.start, this.end);
    const kind = this.kind === 'event' ? 'event' : 'response';
    const nameStart = kind === 'event' ? EVENT.length : RESPONSE.length;
    return new TextMessage(kind, text.slice(nameStart, nameStart + this.name.length), text);
  }
}

function connect(options: AmiClientOptions, place: string): net.Socket {
  try {
    return options.tls ? tls.connect(tlsOptions(options, options.tls)) : net.connect(options.port, options.host);
  } catch (thrown) {
    const error = asError(thrown);
    if (options.tls) throw tlsRefused(error, place);
    throw amiError('AMI_CONNECT_FAILED', { place, reason: error.message }, error);
  }
}

function tlsOptions(options: AmiClientOptions, wanted: NonNullable<AmiClientOptions['tls']>): tls.ConnectionOptions {
  const { ca, cert, key, passphrase } = wanted;
  const name = wanted.serverName ?? options.host;
  return {
    host: options.host,
    port: options.port,
    // Said here because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would switch the check off.
    rejectUnauthorized: true,
    // An address is no server name in TLS (RFC 6066); the certificate is checked against it all the same.
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(name, certificate),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

function openError(error: Error | undefined, place: string, overTls: boolean): Parameters<TransportSink['lost']> {
  if (overTls && error && isTlsError(error)) return [tlsRefused(error, place), true];
  return [amiError('AMI_CONNECT_FAILED', { place, reason: error?.message ?? 'closed at once' }, error), false];
}

function tlsRefused(error: Error & { reason?: unknown }, place: string): TelephonyError {
  // OpenSSL's own errors carry a short reason beside a message full of its source lines.
  const reason = typeof error.reason === 'string' ? error.reason : error.message;
  return amiError('AMI_TLS_REFUSED', { place, reason }, error);
}

function isTlsError(error: NodeJS.ErrnoException): boolean {
  return !NETWORK_ERROR.test(error.code ?? '');
}
