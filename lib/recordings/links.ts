import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock';

export interface LinkOptions {
  /** Where the links lead from outside: address and path of the route, without a slash at the end. */
  readonly base: string;
  /** Whoever has it can make links to every recording. */
  readonly key: Uint8Array;
  /** How long a link works, in ms. */
  readonly validMs: number;
  readonly clock: Clock;
}

/**
 * Links to recordings that nobody can guess or alter: the path is signed together with the moment at which the link
 * expires. They end in the file's name, since players of CRMs go by its extension.
 */
export class SignedLinks {
  constructor(private readonly options: LinkOptions) {}

  /** `place`: below the recordings folder, with `/`. */
  make(place: string): string {
    const { base, clock, validMs } = this.options;
    const expires = Math.floor((clock.now() + validMs) / 1000);
    const where = place.split('/').map(encodeURIComponent).join('/');
    return `${base}/${expires}/${this.sign(place, expires)}/${where}`;
  }

  /** The place that a link's path below the base leads to; `undefined` when it is forged or has expired. */
  open(pathBelowBase: string): string | undefined {
    const [expires = '', signature = '', ...parts] = pathBelowBase.replace(/^\//, '').split('/');
    if (!/^[1-9]\d{0,11}$/.test(expires) || parts.length === 0) return undefined;
    const place = decoded(parts.join('/'));
    if (place === undefined) return undefined;
    const [given, right] = [Buffer.from(signature), Buffer.from(this.sign(place, Number(expires)))];
    const isOurs = given.length === right.length && timingSafeEqual(given, right);
    return isOurs && Number(expires) * 1000 > this.options.clock.now() ? place : undefined;
  }

  private sign(place: string, expires: number): string {
    return createHmac('sha256', this.options.key).update(`${expires}\n${place}`).digest('base64url');
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
