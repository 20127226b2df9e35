import {
  createAmiClient,
  createAsteriskManagerClient,
  type AmiClient,
  type AmiClientOptions,
  type AmiDeps,
} from '../../../lib/ami';
import type { TelephonyError } from '../../../lib/errors';
import type { Log } from '../../../lib/log';
import { FakeClock } from '../../support/fake-clock';
import type { FakeAmiServer } from '../../support/fake-ami-server';

/** What must hold with either driver. */
export const drivers = [
  { driver: 'built in', create: createAmiClient },
  { driver: 'over asterisk-manager', create: createAsteriskManagerClient },
] as const;

export type Create = (options: AmiClientOptions, deps: AmiDeps) => AmiClient;

/** A log that keeps what it was told. */
class KeptLog implements Log {
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  info(text: string): void {
    this.infos.push(text);
  }
  debug(): void {
    // Nothing to check.
  }
  warn(what: string | TelephonyError): void {
    this.warnings.push(typeof what === 'string' ? what : what.message);
  }
}

export interface Rig {
  readonly client: AmiClient;
  readonly clock: FakeClock;
  readonly log: KeptLog;
}

/** A client of the scripted server, with a clock moved by hand and dice that always show the middle. */
export function rig(create: Create, server: FakeAmiServer, overrides: Partial<AmiClientOptions> = {}): Rig {
  const clock = new FakeClock();
  const log = new KeptLog();
  const { host, port, username, secret } = server;
  const client = create({ host, port, username, secret, ...overrides }, { clock, log, random: () => 0.5 });
  return { client, clock, log };
}
