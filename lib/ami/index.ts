/** The AMI room: everything that other rooms may use of it. */
export type * from './types';
export { createAmiClient } from './client';
export { createAsteriskManagerClient } from './drivers/asterisk-manager';
export type { AmiDeps } from './engine';
