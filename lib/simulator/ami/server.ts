import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock } from '../../clock';
import type { Log } from '../../log';
import type { SimulatedUser } from '../types';
import { limits } from '../defaults';
import { formatEvent, type PbxEvent } from '../event-format';
import type { Asker } from './action';
import type { Reply } from './reply';
import type { AmiRequest } from './request';
import { Session, type SessionHost } from './session';

export interface AmiServerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly users: readonly SimulatedUser[];
  perform(request: AmiRequest, asker: Asker): Reply | Promise<Reply>;
}

/** The manager interface: listens on a free port of the loopback, holds the sessions and tells them the events. */
export class AmiServer implements SessionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly startedAt: number;
  private readonly server: Server;
  private readonly sessions = new Set<Session>();
  private held: PbxEvent[] | undefined;

  constructor(private readonly options: AmiServerOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.startedAt = options.clock.now();
    this.server = createServer((socket) => this.connected(socket));
    this.server.on('error', (error) => this.log.warn(`simulator: the manager interface: ${error.message}`));
  }

  /** Starts listening on 127.0.0.1; resolves with the port. */
  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** Closes every session and the port; resolves when nothing is left. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const session of this.sessions) session.end();
    await closed;
  }

  tell(event: PbxEvent): void {
    if (this.held) this.held.push(event);
    else this.broadcast(event);
  }

  holdEvents(): () => void {
    const held: PbxEvent[] = [];
    this.held = held;
    return () => {
      this.held = undefined;
      for (const event of held) this.broadcast(event);
    };
  }

  private broadcast(event: PbxEvent): void {
    let text: string | undefined;
    for (const session of this.sessions) {
      if (session.hears(event.privilege)) session.tell(event, (text ??= formatEvent(event)));
    }
  }

  /** Is there a session that hears events of this class? */
  isHeard(privilege: string): boolean {
    return [...this.sessions].some((session) => session.hears(privilege));
  }

  user(username: string): SimulatedUser | undefined {
    return this.options.users.find((user) => user.username === username);
  }

  isLoggedIn(username: string): boolean {
    return [...this.sessions].some((session) => session.username === username);
  }

  perform(request: AmiRequest, asker: Asker): Reply | Promise<Reply> {
    return this.options.perform(request, asker);
  }

  closed(session: Session): void {
    this.sessions.delete(session);
  }

  private connected(socket: Socket): void {
    if (this.sessions.size >= limits.sessions) {
      this.log.warn(`simulator: more than ${limits.sessions} manager connections: one more was closed`);
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.sessions.add(new Session(socket, this));
  }
}
