import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';
import type { Node, NodeAPI } from 'node-red';
import { parserFault } from '../../lib/http-in/body';
import type { ParserFault } from '../../lib/http-in/body';
import { Claims } from './claims';
import { corsHeaders } from './cors';

export type Serve = (req: Request, res: Response) => void;

/** A path at work, and whose it is. */
export interface Route {
  readonly serve: Serve;
  readonly owner: Node;
  /**
   * Refuses, in the asker's own format, what a body parser in front of us gave up on. Nobody in front was asked for a password then, so that
   * it must never do what was asked. Absent: it is refused without the node.
   */
  readonly refuse?: (req: Request, res: Response, fault: ParserFault) => void;
}

/** What a parser means by these; everything else is a bad request. */
const FAULTS: Readonly<Record<string, number>> = {
  'entity.too.large': 413,
  'charset.unsupported': 415,
  'encoding.unsupported': 415,
};

/**
 * The paths that nodes of this pack serve on Node-RED's HTTP server: one handler for good, that looks the path up. So a
 * deploy leaves nothing behind and adds nothing twice.
 */
class HttpRoutes {
  readonly claims = new Claims<Route>();
  private readonly middleware: readonly RequestHandler[];
  private readonly cors: unknown;

  constructor(red: NodeAPI) {
    const { httpNodeMiddleware, httpNodeCors } = red.settings as unknown as {
      readonly httpNodeMiddleware?: RequestHandler | RequestHandler[];
      readonly httpNodeCors?: unknown;
    };
    this.middleware = httpNodeMiddleware === undefined ? [] : [httpNodeMiddleware].flat();
    this.cors = httpNodeCors;
    red.httpNode.use((req, res, next) => this.dispatch(req, res, next));
    // Below one root the editor's application comes first, and what its body parser throws passes by that of the flows:
    // it can be heard only where both are mounted.
    const { parent, mountpath } = red.httpNode as Application & { readonly parent?: Application };
    parent?.use(mountpath, (thrown: unknown, req: Request, res: Response, next: NextFunction) =>
      this.recover(thrown, req, res, next),
    );
  }

  private dispatch(req: Request, res: Response, next: NextFunction): void {
    const serve = this.claims.holder(keyOf(req.path))?.serve;
    if (!serve) {
      next();
      return;
    }
    forgetCors(res);
    runAll(this.middleware, req, res, next, () => {
      for (const [name, value] of Object.entries(corsHeaders(this.cors, req))) res.setHeader(name, value);
      serve(req, res);
    });
  }

  /**
   * What a body parser gave up on came past `httpNodeAuth` and the admin's middleware: it is refused, and nothing of it is done, not even
   * where the path would not have looked at the body.
   */
  private recover(thrown: unknown, req: Request, res: Response, next: NextFunction): void {
    const route = this.claims.holder(keyOf(req.path));
    const fault = parserFault(thrown);
    if (!route || !fault || res.headersSent) {
      next(thrown);
      return;
    }
    forgetCors(res);
    if (route.refuse) route.refuse(req, res, fault);
    else res.status(FAULTS[fault.type] ?? 400).end();
  }
}

/** Below one root the editor lets every web page read every answer: ours only those that `httpNodeCors` names. */
function forgetCors(res: Response): void {
  res.removeHeader('Access-Control-Allow-Origin');
}

/** Runs the admin's middleware the way Express would: each calls the next, an error ends it. */
function runAll(
  handlers: readonly RequestHandler[],
  req: Request,
  res: Response,
  onError: NextFunction,
  then: () => void,
): void {
  const [first, ...rest] = handlers;
  if (!first) {
    then();
    return;
  }
  first(req, res, (thrown?: unknown) => {
    if (thrown === undefined || thrown === null) runAll(rest, req, res, onError, then);
    else onError(thrown);
  });
}

/** Express compares paths without case and without the slash at the end; so do we. */
function keyOf(path: string): string {
  return path.replace(/\/+$/, '').toLowerCase();
}

const routesOf = new WeakMap<object, HttpRoutes>();

/**
 * Serves a path below Node-RED's `httpNodeRoot` until the returned function is called. `onTurn` tells at once whether the
 * path is ours and whose it is, and again when it becomes ours because the node that had it left.
 */
export function serveHttp(
  red: NodeAPI,
  path: string,
  route: Route,
  onTurn: (mine: boolean, has: Route) => void,
): () => void {
  const app = red.httpNode as object;
  const routes = routesOf.get(app) ?? new HttpRoutes(red);
  routesOf.set(app, routes);
  return routes.claims.claim(keyOf(path), route, onTurn);
}

/** The admin may have switched all HTTP of flows off. */
export function httpIsOff(red: NodeAPI): boolean {
  return (red.settings as { readonly httpNodeRoot?: string | false }).httpNodeRoot === false;
}
