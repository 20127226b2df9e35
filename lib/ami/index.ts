/** The AMI room: everything that other rooms may use of it. */
export type * from './types';
export { createAmiClient } from './client';
export type { AmiDeps } from './engine';
