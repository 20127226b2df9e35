import { createRequire } from 'node:module';
import { asError } from '../../errors';
import { AmiEngine, type AmiDeps } from '../engine';
import { amiError } from '../errors';
import { TextMessage } from '../message';
import type { HeaderLine, Incoming, ReadMessage, Transport, TransportSink } from '../transport';
import type { AmiClient, AmiClientOptions } from '../types';
import { spelled } from './spelling';

/** What is used of the package's object. It has no types of its own. */
interface Manager {
  on(event: string, listener: (value: never) => void): void;
  removeListener(event: string, listener: (value: never) => void): void;
  listeners(event: string): ((value: never) => void)[];
  connect(port: object): void;
  action(action: object, callback: () => void): string;
  disconnect(): void;
}

type Item = Readonly<Record<string, unknown>>;

interface AsteriskManagerDeps extends AmiDeps {
  /** Loads the package; by default the one installed beside this pack. */
  readonly load?: () => unknown;
}

/**
 * The client over the npm package asterisk-manager 0.2.0, an optional peer. The package makes the connection, splits the
 * lines and writes the actions; everything else (login, answers, time-outs, lists, ping, reconnect, quoting) is the same
 * engine as the built-in client's, because the package loses actions, never notices a dead link and dies of a UserEvent.
 *
 * What cannot be repaired from outside: no TLS (phase `refused` with `AMI_DRIVER_NO_TLS`); no bound on what is received,
 * and one very large answer blocks the process (80 000 lines: about 10 s); a lone LF ends a line; the AMI version is
 * unknown; header names lose their case, except those known here.
 */
export function createAsteriskManagerClient(options: AmiClientOptions, deps: AsteriskManagerDeps = {}): AmiClient {
  const load = deps.load ?? loadPackage;
  return new AmiEngine(options, (o, place, sink) => new ManagerTransport(o, place, sink, load), deps);
}

function loadPackage(): unknown {
  return createRequire(__filename)('asterisk-manager');
}

/** One connection = one object of the package: what an old one left in its parser would be glued to the new one. */
class ManagerTransport implements Transport {
  private readonly manager: Manager;
  /** The package never hands out its socket, but hands this to `net`, which destroys the socket by it. */
  private readonly abort = new AbortController();
  private error: Error | undefined;
  private isOpen = false;
  private over = false;

  constructor(
    options: AmiClientOptions,
    private readonly place: string,
    private readonly sink: TransportSink,
    load: () => unknown,
  ) {
    if (options.tls) throw amiError('AMI_DRIVER_NO_TLS', { place });
    this.manager = newManager(load);
    // Its own dispatcher throws at a repeated header and takes OriginateResponse for an answer.
    for (const listener of this.manager.listeners('rawevent')) this.manager.removeListener('rawevent', listener);
    this.manager.on('rawevent', (item: Item) => this.receive(item));
    this.manager.on('error', (error: Error) => (this.error ??= error));
    this.manager.on('connect', () => this.connected());
    this.manager.on('close', () => this.closed());
    const { host, port } = options;
    this.manager.connect({ host, port, signal: this.abort.signal });
  }

  send(lines: readonly HeaderLine[]): boolean {
    if (!this.isOpen || this.over) return true;
    const request: Record<string, string> = {};
    let id = '';
    for (const [name, value] of lines) {
      // It joins a repeated header by commas, but trims names: one space more makes another key of the same header.
      let key = name;
      while (key in request) key += ' ';
      if (name === 'ActionID') id = value;
      else Object.defineProperty(request, key, { value, enumerable: true, configurable: true });
    }
    // It holds back every action but `login` until its own login, which knows neither MD5 nor the mask of events. It reads
    // the name here, and writes the enumerable `Action` above.
    Object.defineProperty(request, 'action', { value: 'login' });
    Object.defineProperty(request, 'actionid', { value: id, configurable: true });
    const nothing = (): void => undefined;
    this.manager.removeListener(this.manager.action(request, nothing), nothing);
    return true;
  }

  end(): void {
    if (this.isOpen) this.manager.disconnect();
    else this.destroy();
  }

  destroy(): void {
    this.over = true;
    this.abort.abort();
  }

  private connected(): void {
    if (this.over) return;
    this.isOpen = true;
    this.sink.connected();
    this.sink.greeted(undefined);
  }

  private receive(item: Item): void {
    if (!this.over) this.sink.receive(new ManagerItem(item));
  }

  private closed(): void {
    if (this.over) return;
    this.destroy();
    const { place, error } = this;
    const reason = error?.message ?? 'closed by the other side';
    const code = this.isOpen ? 'AMI_LINK_LOST' : 'AMI_CONNECT_FAILED';
    this.sink.lost(amiError(code, { place, reason }, error), false);
  }
}

function newManager(load: () => unknown): Manager {
  try {
    return (load() as () => Manager)();
  } catch (thrown) {
    throw amiError('AMI_DRIVER_MISSING', {}, asError(thrown));
  }
}

/** A message as the package parsed it: lower-case names; repeated headers as lists, variables as objects. */
class ManagerItem implements Incoming {
  readonly kind: Incoming['kind'];
  readonly name: string;

  constructor(private readonly item: Item) {
    const first = Object.keys(item)[0] ?? '';
    this.kind = first === 'event' || first === 'response' ? first : 'other';
    this.name = valuesOf(first, item[first])[0] ?? '';
  }

  read(): ReadMessage {
    const kind = this.kind === 'event' ? 'event' : 'response';
    if (typeof this.item.content === 'string') return rawAnswer(this.item.content);
    const lines: string[] = [];
    for (const [key, value] of Object.entries(this.item)) {
      for (const one of valuesOf(key, value)) lines.push(`${spelled(key)}: ${one}`);
    }
    return new TextMessage(kind, this.name, lines.join('\r\n'));
  }
}

/** The answer of Command before Asterisk 14, whose lines the package joined by LF. */
function rawAnswer(content: string): ReadMessage {
  const text = content.replace(/^((?:Response|Privilege|ActionID): .*)\n/gm, '$1\r\n');
  return new TextMessage('response', 'Follows', text);
}

function valuesOf(key: string, value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string');
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value as Record<string, string>).map(([name, text]) =>
    // A variable that is only named (VarSet, Getvar) looks like one with an empty value.
    text === '' && key === 'variable' ? name : `${name}=${text}`,
  );
}
