import { createHmac } from 'node:crypto';
import type { Clock } from '../clock';
import { Turns } from '../turns';
import { agentError } from './errors';
import { networkOf } from './network';
import { isPin } from './pins';
import { Throttle } from './throttle';
import { extensionOfToken, signToken } from './tokens';

/** A working day; then the PIN is asked again. */
export const SESSION_MS = 12 * 60 * 60 * 1000;
/** So long a browser is known from which somebody signed in. */
export const DEVICE_MS = 90 * 24 * 60 * 60 * 1000;
/** Wrong tries without a wait. Many agents may sit behind one address. */
const FREE_PER_EXTENSION = 5;
const FREE_PER_ADDRESS = 20;
/**
 * A try costs 16 MB and a thread of the four that Node-RED has; so many at once, and so many more may wait, twice as
 * many from known browsers. */
const AT_ONCE = 2;
const MAX_WAITING = 200;
/** Sessions that were ended before their time; beyond it the oldest is forgotten. */
const MAX_ENDED = 10_000;

export interface SignInOptions {
  /** Extension to the hash of its PIN. */
  readonly pins: ReadonlyMap<string, string>;
  /** Signs links of the CRM; empty: there are none. */
  readonly secret: string;
  /** The name of the PBX whose extensions they are, which a link names under its signature. */
  readonly pbx: string;
  /** The page that gives sessions. Another one takes none of them. */
  readonly page: string;
  /** Signs sessions: random, and known to this installation alone. */
  readonly key: Uint8Array;
}

/** Who tries a PIN. */
export interface Comer {
  readonly address: string;
  /** What the browser kept of earlier sign-ins. */
  readonly devices?: readonly string[];
}

/** Where wrong tries are counted, and under which name. */
type Count = readonly [Throttle, string];

interface Entry {
  readonly session: string;
  /** For the browser to keep: it is known from now on. */
  readonly device: string;
}

/** What must outlive the settings: kept while the node is redeployed, so that a deploy neither takes back a sign-out nor gives new guesses. */
export class SignInMemory {
  readonly byExtension: Throttle;
  /** Of extensions that have no PIN: anybody can invent some until those that have one were forgotten. */
  readonly byInvented: Throttle;
  readonly byAddress: Throttle;
  readonly byDevice: Throttle;
  private readonly ended = new Set<string>();

  constructor(clock: Clock) {
    this.byExtension = new Throttle(clock, FREE_PER_EXTENSION);
    this.byInvented = new Throttle(clock, FREE_PER_EXTENSION);
    this.byAddress = new Throttle(clock, FREE_PER_ADDRESS);
    this.byDevice = new Throttle(clock, FREE_PER_EXTENSION);
  }

  end(session: string): void {
    this.ended.add(session);
    if (this.ended.size <= MAX_ENDED) return;
    const [oldest] = this.ended;
    if (oldest !== undefined) this.ended.delete(oldest);
  }

  hasEnded(session: string): boolean {
    return this.ended.has(session);
  }
}

/**
 * Who is at the page. A session is a signed token: it outlives a restart of Node-RED without being kept anywhere. Its key is that of the
 * installation with the PIN's hash and the secret: so it ends for good with another PIN, and who gets to know the hash can sign none.
 *
 * Wrong PINs cost a wait, of the extension and of the address. A browser from which the agent signed in before has a count of its
 * own, so that a stranger who guesses keeps out other strangers, and not him.
 */
export class SignIn {
  private readonly turns = new Turns(AT_ONCE, MAX_WAITING * 2);

  constructor(
    private readonly options: SignInOptions,
    private readonly clock: Clock,
    private readonly memory: SignInMemory,
  ) {}

  /** Rejects with `AGENT_WRONG_PIN`, `AGENT_WAIT` (the PIN was not looked at) or `AGENT_BUSY`. */
  async withPin(extension: string, pin: string, { address, devices = [] }: Comer): Promise<Entry> {
    const { byAddress, byDevice } = this.memory;
    const byExtension = this.options.pins.has(extension) ? this.memory.byExtension : this.memory.byInvented;
    const device = devices.find((one) => this.extensionOfDevice(one) === extension);
    const counts: readonly Count[] =
      device === undefined
        ? [
            [byExtension, extension],
            [byAddress, networkOf(address)],
          ]
        : [[byDevice, device]];
    const refuse = (): void => {
      const wait = Math.max(...counts.map(([throttle, name]) => throttle.waitOf(name)));
      if (wait > 0) throw agentError('AGENT_WAIT', { seconds: Math.ceil(wait / 1000) });
    };
    refuse();
    if (this.turns.waiting >= (device === undefined ? MAX_WAITING : MAX_WAITING * 2)) throw agentError('AGENT_BUSY');
    await this.turns.run(async () => {
      // Others may have tried meanwhile.
      refuse();
      if (!(await this.fits(extension, pin, counts))) throw agentError('AGENT_WRONG_PIN');
    });
    (device === undefined ? byExtension : byDevice).right(device ?? extension);
    return { session: this.sessionOf(extension), device: this.tokenOf('device', extension, DEVICE_MS) };
  }

  private async fits(extension: string, pin: string, counts: readonly Count[]): Promise<boolean> {
    for (const [throttle, name] of counts) throttle.begin(name);
    let isRight = false;
    try {
      isRight = await isPin(pin, this.options.pins.get(extension));
    } finally {
      for (const [throttle, name] of counts) {
        if (isRight) throttle.forgive(name);
        else throttle.wrong(name);
      }
    }
    return isRight;
  }

  /** A session by a link that the CRM signed. Throws `AGENT_BAD_LINK`. */
  withLink(token: string): string {
    const extension = this.extensionOfLink(token);
    if (extension === undefined) throw agentError('AGENT_BAD_LINK');
    return this.sessionOf(extension);
  }

  /** Whose link it is; `undefined`: it is not valid. */
  extensionOfLink(token: string): string | undefined {
    const { secret, pbx } = this.options;
    return extensionOfToken({ purpose: 'link', place: pbx }, token, this.clock.now(), () => secret);
  }

  /** Whose session it is; `undefined`: it is not valid, or not any more. */
  extensionOf(session: string): string | undefined {
    if (this.memory.hasEnded(session)) return undefined;
    return this.extensionOfOwn('session', session);
  }

  /** Whose browser it is. */
  extensionOfDevice(device: string): string | undefined {
    return this.extensionOfOwn('device', device);
  }

  signOut(session: string): void {
    if (this.extensionOf(session) !== undefined) this.memory.end(session);
  }

  private sessionOf(extension: string): string {
    return this.tokenOf('session', extension, SESSION_MS);
  }

  private tokenOf(purpose: 'session' | 'device', extension: string, ms: number): string {
    const use = { purpose, place: this.options.page };
    return signToken(use, extension, this.clock.now() + ms, this.keyOf(extension) ?? '');
  }

  private extensionOfOwn(purpose: 'session' | 'device', token: string): string | undefined {
    const use = { purpose, place: this.options.page };
    return extensionOfToken(use, token, this.clock.now(), (extension) => this.keyOf(extension));
  }

  private keyOf(extension: string): string | undefined {
    const { pins, secret } = this.options;
    const pin = pins.get(extension) ?? '';
    if (pin === '' && secret === '') return undefined;
    return createHmac('sha256', this.options.key).update(`session\n${pin}\n${secret}`, 'utf8').digest('hex');
  }
}
