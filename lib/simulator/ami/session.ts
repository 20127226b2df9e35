import { createHash, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../clock';
import { asError } from '../../errors';
import type { Log } from '../../log';
import type { SimulatedUser } from '../types';
import { limits, versions } from '../defaults';
import { formatEvent, type PbxEvent } from '../event-format';
import type { Asker } from './action';
import { classesOf, eventMask, type Classes } from './permissions';
import { failure, formatReply, success, type Reply } from './reply';
import { type AmiRequest, RequestReader } from './request';

/** What a session needs of the server it belongs to. */
export interface SessionHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly startedAt: number;
  user(username: string): SimulatedUser | undefined;
  isLoggedIn(username: string): boolean;
  /** Carries out an action of a logged-in session. */
  perform(request: AmiRequest, asker: Asker): Reply | Promise<Reply>;
  /** Keeps events back until the returned function is called: an answer goes out before the events that its action caused. */
  holdEvents(): () => void;
  closed(session: Session): void;
}

/** How long a client may stay without logging in, in ms (Asterisk's `authtimeout`). */
const LOGIN_TIME_MS = 30_000;
/** A wrong password is answered after this time (measured). */
const REFUSAL_DELAY_MS = 1000;

const nobody: Classes = new Set();

/** One connection of a manager client, from the greeting to the end. */
export class Session implements Asker {
  username: string | undefined;
  write: Classes = nobody;
  private read: Classes = nobody;
  private mask: Classes = nobody;
  private challenge: string | undefined;
  private readonly reader = new RequestReader();
  private readonly timers = new Set<Timer>();
  private readonly loginTimer: Timer;
  /** An action that blocks holds back everything that follows, events included (measured with Originate). */
  private frozen: string[] | undefined;
  private frozenBytes = 0;
  private ended = false;

  constructor(
    private readonly socket: Socket,
    private readonly host: SessionHost,
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.finish();
      host.closed(this);
    });
    socket.on('data', (chunk) => this.received(chunk));
    this.loginTimer = this.later(LOGIN_TIME_MS, () => this.end());
    this.send(`Asterisk Call Manager/${versions.ami}\r\n`);
  }

  /** Does the session hear events of this class? */
  hears(privilege: string): boolean {
    return !this.ended && this.read.has(privilege) && this.mask.has(privilege);
  }

  tell(event: PbxEvent, text: string): void {
    if (this.hears(event.privilege)) this.send(text);
  }

  setEventMask(mask: string): boolean {
    this.mask = eventMask(mask);
    return this.mask.size > 0;
  }

  /** Closes the connection after what was already written; a client that does not read is cut off. */
  end(): void {
    if (this.ended) return;
    this.finish();
    if (this.socket.writableLength > 0) this.socket.destroy();
    else this.socket.destroySoon();
  }

  private finish(): void {
    this.ended = true;
    for (const timer of this.timers) timer.cancel();
  }

  private later(ms: number, fn: () => void): Timer {
    const timer = this.host.clock.after(ms, fn);
    this.timers.add(timer);
    return timer;
  }

  private received(chunk: Buffer): void {
    this.reader.push(chunk);
    this.work();
  }

  private work(): void {
    while (!this.ended && !this.frozen) {
      const request = this.reader.next();
      if (!request) return;
      this.handle(request);
    }
  }

  private handle(request: AmiRequest): void {
    const action = request.action.toLowerCase();
    if (request.fault !== undefined) this.answer(request, failure(request.fault));
    else if (action === '') this.answer(request, failure('Missing action in request'));
    else if (action === 'challenge') this.answer(request, this.makeChallenge(request));
    else if (action === 'login') this.login(request);
    else if (action === 'logoff') this.logoff(request);
    else if (this.username === undefined) this.answer(request, failure('Permission denied'));
    else this.perform(request);
  }

  private logoff(request: AmiRequest): void {
    this.answer(request, { response: 'Goodbye', headers: [['Message', 'Thanks for all the fish.']] });
    this.end();
  }

  private perform(request: AmiRequest): void {
    const release = this.host.holdEvents();
    try {
      const reply = this.host.perform(request, this);
      if (reply instanceof Promise) this.freeze(request, reply);
      else this.answer(request, reply);
    } catch (thrown) {
      this.host.log.warn(`simulator: action ${request.action}: ${asError(thrown).message}`);
      this.answer(request, failure('Internal error'));
    } finally {
      release();
    }
  }

  private makeChallenge(request: AmiRequest): Reply {
    if (request.get('AuthType').toUpperCase() !== 'MD5') return failure('Must specify AuthType');
    this.challenge = String(randomInt(100_000_000, 1_000_000_000));
    return success(undefined, ['Challenge', this.challenge]);
  }

  private login(request: AmiRequest): void {
    const user = this.host.user(request.get('Username'));
    if (this.username !== undefined) {
      this.answer(request, success('Already authenticated'));
    } else if (!user || !this.proves(request, user.secret)) {
      this.host.log.warn('simulator: a manager client gave a wrong user name or password');
      this.refuse(request);
    } else if (user.multipleLogin === false && this.host.isLoggedIn(user.username)) {
      this.answer(request, failure('Login Already In Use'));
      this.end();
    } else {
      this.accept(request, user);
    }
  }

  private accept(request: AmiRequest, user: SimulatedUser): void {
    this.loginTimer.cancel();
    this.username = user.username;
    this.read = classesOf(user.read);
    this.write = classesOf(user.write);
    this.setEventMask(request.all('Events')[0] ?? 'on');
    this.answer(request, success('Authentication accepted'));
    const seconds = Math.floor((this.host.clock.now() - this.host.startedAt) / 1000);
    const booted: PbxEvent = {
      name: 'FullyBooted',
      privilege: 'system',
      headers: [
        ['Uptime', seconds],
        ['LastReload', seconds],
        ['Status', 'Fully Booted'],
      ],
    };
    this.tell(booted, formatEvent(booted));
  }

  private proves(request: AmiRequest, secret: string): boolean {
    if (request.get('AuthType').toUpperCase() !== 'MD5') return request.get('Secret') === secret;
    if (this.challenge === undefined) return false;
    const key = createHash('md5').update(`${this.challenge}${secret}`).digest('hex');
    return request.get('Key').toLowerCase() === key;
  }

  /** The answer to a wrong password comes late, nothing else is heard meanwhile, then the connection is closed. */
  private refuse(request: AmiRequest): void {
    this.frozen = [];
    this.later(REFUSAL_DELAY_MS, () => {
      this.frozen = undefined;
      this.answer(request, failure('Authentication failed'));
      this.end();
    });
  }

  private freeze(request: AmiRequest, reply: Promise<Reply>): void {
    this.frozen = [];
    this.socket.pause();
    const thaw = (text: string): void => {
      const held = this.frozen ?? [];
      this.frozen = undefined;
      this.frozenBytes = 0;
      this.send(text);
      for (const message of held) this.send(message);
      this.socket.resume();
      this.work();
    };
    const actionId = request.get('ActionID');
    reply.then(
      (settled) => thaw(formatReply(settled, actionId)),
      () => thaw(formatReply(failure('Action failed'), actionId)),
    );
  }

  private answer(request: AmiRequest, reply: Reply): void {
    this.send(formatReply(reply, request.get('ActionID')));
  }

  private send(text: string): void {
    if (this.ended) return;
    if (this.frozen) {
      this.frozenBytes += text.length;
      this.frozen.push(text);
    } else {
      this.socket.write(text);
    }
    if (this.socket.writableLength + this.frozenBytes <= limits.pendingBytes) return;
    this.host.log.warn('simulator: a manager client does not read its events: its connection is closed');
    this.finish();
    this.socket.destroy();
  }
}
