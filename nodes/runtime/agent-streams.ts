import type { Request, Response } from 'express';
import { agentError } from '../../lib/agents/errors';
import type { Clock } from '../../lib/clock';

/** Proxies and browsers drop a connection on which nothing comes. */
const BEAT_MS = 20_000;
/** Who takes so little of what is sent is let go: it comes back and is told what it missed. */
const MAX_UNSENT = 1024 * 1024;
/** Of one session. A browser opens six connections to one host at most, and needs some for what its pages ask. */
const MAX_OF_SESSION = 4;

/** One page that is told of events (`text/event-stream`). */
export interface Stream {
  write(name: string, text: string, id?: string): void;
  /** Called when the connection has ended, in whatever way. */
  onEnd(then: () => void): void;
}

/** The open streams of one page server. */
export class AgentStreams {
  private readonly open = new Map<Response, string>();

  constructor(private readonly clock: Clock) {}

  /** Throws `AGENT_TOO_MANY_TABS`. */
  mustHaveRoom(session: string): void {
    const others = [...this.open.values()].filter((one) => one === session);
    if (others.length >= MAX_OF_SESSION) throw agentError('AGENT_TOO_MANY_TABS');
  }

  /**
   * Nothing is sent before the first event is, or {@link Stream.onEnd} is called, so that a refusal can still be told. `isStill` is asked now and
   * then: without its consent the stream ends.
   */
  begin(req: Request, res: Response, session = '', isStill: () => boolean = () => true): Stream {
    const ends: (() => void)[] = [];
    const start = (): void => {
      if (res.headersSent) return;
      res.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
      res.setHeader('X-Accel-Buffering', 'no');
      this.open.set(res, session);
      res.write('retry: 2000\n\n');
      const beat = this.clock.every(BEAT_MS, () => {
        if (!isStill()) res.end();
        else if (!res.writableEnded) res.write(': \n\n');
      });
      ends.push(() => beat.cancel());
    };
    // A connection that breaks is told by 'close', too.
    res.on('error', () => undefined);
    res.on('close', () => {
      this.open.delete(res);
      for (const end of ends) end();
    });
    req.socket.setKeepAlive(true);
    return {
      write: (name, text, id) => {
        start();
        if (res.writableEnded || res.destroyed) return;
        res.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${text}\n\n`);
        if (res.writableLength > MAX_UNSENT) res.destroy();
      },
      onEnd: (then) => {
        ends.push(then);
        start();
      },
    };
  }

  /** Ends those of one session, or all. */
  end(session?: string): void {
    for (const [res, of] of [...this.open]) if (session === undefined || of === session) res.end();
  }
}
