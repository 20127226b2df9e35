import { createHash } from 'node:crypto';
import type { Clock } from '../clock';
import { agentError } from './errors';
import { isPin } from './pins';
import { Throttle } from './throttle';
import { extensionOfToken, signToken } from './tokens';

/** A working day; then the PIN is asked again. */
export const SESSION_MS = 12 * 60 * 60 * 1000;
/** Wrong tries without a wait. Many agents may sit behind one address. */
const FREE_PER_EXTENSION = 5;
const FREE_PER_ADDRESS = 20;
/** A try costs 16 MB and a thread: more at once are turned away. */
const MAX_AT_ONCE = 4;
/** Sessions that were ended before their time; beyond it the oldest is forgotten. */
const MAX_ENDED = 10_000;

export interface SignInOptions {
  /** Extension to the hash of its PIN. */
  readonly pins: ReadonlyMap<string, string>;
  /** Signs links of the CRM; empty: there are none. */
  readonly secret: string;
}

/**
 * Who is at the page. A session is a signed token, and its key is made of the PIN's hash and the secret: it outlives a restart of
 * Node-RED without being kept anywhere, and ends for good with another PIN.
 */
export class SignIn {
  private readonly byExtension: Throttle;
  private readonly byAddress: Throttle;
  private readonly ended = new Set<string>();
  private trying = 0;

  constructor(
    private readonly options: SignInOptions,
    private readonly clock: Clock,
  ) {
    this.byExtension = new Throttle(clock, FREE_PER_EXTENSION);
    this.byAddress = new Throttle(clock, FREE_PER_ADDRESS);
  }

  /** Resolves with a session. Rejects with `AGENT_WRONG_PIN`, `AGENT_WAIT` (the PIN was not looked at) or `AGENT_BUSY`. */
  async withPin(extension: string, pin: string, address: string): Promise<string> {
    const wait = Math.max(this.byExtension.waitOf(extension), this.byAddress.waitOf(address));
    if (wait > 0) throw agentError('AGENT_WAIT', { seconds: Math.ceil(wait / 1000) });
    if (this.trying >= MAX_AT_ONCE) throw agentError('AGENT_BUSY');
    this.trying += 1;
    try {
      if (!(await isPin(pin, this.options.pins.get(extension)))) {
        this.byExtension.wrong(extension);
        this.byAddress.wrong(address);
        throw agentError('AGENT_WRONG_PIN');
      }
    } finally {
      this.trying -= 1;
    }
    this.byExtension.right(extension);
    return this.sessionOf(extension);
  }

  /** A session by a link that the CRM signed. Throws `AGENT_BAD_LINK`. */
  withLink(token: string): string {
    const extension = this.extensionOfLink(token);
    if (extension === undefined) throw agentError('AGENT_BAD_LINK');
    return this.sessionOf(extension);
  }

  /** Whose link it is; `undefined`: it is not valid. */
  extensionOfLink(token: string): string | undefined {
    return extensionOfToken('link', token, this.clock.now(), () => this.options.secret);
  }

  /** Whose session it is; `undefined`: it is not valid, or not any more. */
  extensionOf(session: string): string | undefined {
    if (this.ended.has(session)) return undefined;
    return extensionOfToken('session', session, this.clock.now(), (extension) => this.keyOf(extension));
  }

  signOut(session: string): void {
    if (this.extensionOf(session) === undefined) return;
    this.ended.add(session);
    if (this.ended.size <= MAX_ENDED) return;
    const [oldest] = this.ended;
    if (oldest !== undefined) this.ended.delete(oldest);
  }

  private sessionOf(extension: string): string {
    return signToken('session', extension, this.clock.now() + SESSION_MS, this.keyOf(extension) ?? '');
  }

  private keyOf(extension: string): string | undefined {
    const { pins, secret } = this.options;
    const pin = pins.get(extension) ?? '';
    if (pin === '' && secret === '') return undefined;
    return createHash('sha256').update(`session\n${pin}\n${secret}`, 'utf8').digest('hex');
  }
}
