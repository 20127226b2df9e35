import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import type { Clock } from '../clock';

export interface HttpAgentOptions {
  readonly clock: Clock;
  /** How long a connection may take, TLS included, in ms. */
  readonly connectMs: number;
  /** PEM of an authority to trust beside the built-in ones. */
  readonly ca?: string;
}

/** Under the names by which axios takes them. */
export interface HttpAgents {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
}

/** Requests at once to one server; the rest waits inside the agent. */
const MAX_SOCKETS = 50;

/** A dialog leaves an empty text where nothing was entered. */
export const hasCa = (ca: string | undefined): ca is string => ca !== undefined && ca.trim() !== '';

/** Ends a socket that is not ready in time: Node has no time limit for connecting. */
function guardConnect(socket: Duplex, ready: string, ms: number, clock: Clock): void {
  const late = Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' });
  const timer = clock.after(ms, () => socket.destroy(late));
  const stop = () => timer.cancel();
  socket.once(ready, stop).once('close', stop);
}

/** Connections that are kept, verified, and given up when they take too long. To be destroyed by who asked for them. */
export function httpAgents({ clock, connectMs, ca }: HttpAgentOptions): HttpAgents {
  // Node gives up an address after 250 ms when a name has several: too short for a far server on a slow line.
  const common = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: 4, autoSelectFamilyAttemptTimeout: 1000 };

  class Plain extends http.Agent {
    override createConnection(...args: Parameters<http.Agent['createConnection']>) {
      const socket = super.createConnection(...args);
      if (socket) guardConnect(socket, 'connect', connectMs, clock);
      return socket;
    }
  }
  class Secure extends https.Agent {
    override createConnection(...args: Parameters<https.Agent['createConnection']>) {
      const socket = super.createConnection(...args);
      if (socket) guardConnect(socket, 'secureConnect', connectMs, clock);
      return socket;
    }
  }
  const trust = hasCa(ca) ? { ca: [...tls.rootCertificates, ca] } : {};
  return { httpAgent: new Plain(common), httpsAgent: new Secure({ ...common, ...trust, rejectUnauthorized: true }) };
}
