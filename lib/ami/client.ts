import { AmiEngine, type AmiDeps } from './engine';
import { SocketTransport } from './socket-transport';
import type { AmiClient, AmiClientOptions } from './types';

/**
 * The built-in AMI client: TCP or verified TLS, MD5 login. Nothing happens before {@link AmiClient.connect}; options that
 * cannot work show themselves as the phase `refused`.
 */
export function createAmiClient(options: AmiClientOptions, deps: AmiDeps = {}): AmiClient {
  return new AmiEngine(options, (o, place, sink) => new SocketTransport(o, place, sink), deps);
}
