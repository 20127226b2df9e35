import { createAmiClient, createAsteriskManagerClient } from '../ami';
import type { AmiDeps } from '../ami';
import type { AmiClient, AmiClientOptions } from '../ami/types';

export type DriverName = 'built-in' | 'asterisk-manager';

/** The link over the chosen driver. */
export function createClient(driver: DriverName, options: AmiClientOptions, deps: AmiDeps): AmiClient {
  return driver === 'built-in' ? createAmiClient(options, deps) : createAsteriskManagerClient(options, deps);
}
