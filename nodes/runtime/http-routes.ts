import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { corsHeaders } from './cors';

export type Serve = (req: Request, res: Response) => void;

/** One node's wish to serve a path. The first one has it; the next gets its turn when the first leaves. */
interface Claim {
  readonly serve: Serve;
  readonly onTurn: (mine: boolean) => void;
}

/**
 * The paths that nodes of this pack serve on Node-RED's HTTP server: one handler for good, that looks the path up. So a
 * deploy leaves nothing behind and adds nothing twice.
 */
class HttpRoutes {
  private readonly claims = new Map<string, Claim[]>();
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
  }

  claim(path: string, claim: Claim): () => void {
    const key = keyOf(path);
    const claims = this.claims.get(key) ?? [];
    this.claims.set(key, claims);
    claims.push(claim);
    claim.onTurn(claims[0] === claim);
    return () => {
      const had = claims[0];
      claims.splice(claims.indexOf(claim), 1);
      if (claims[0] === undefined) this.claims.delete(key);
      else if (claims[0] !== had) claims[0].onTurn(true);
    };
  }

  private dispatch(req: Request, res: Response, next: NextFunction): void {
    const claim = this.claims.get(keyOf(req.path))?.[0];
    if (!claim) {
      next();
      return;
    }
    runAll(this.middleware, req, res, next, () => {
      for (const [name, value] of Object.entries(corsHeaders(this.cors, req))) res.setHeader(name, value);
      claim.serve(req, res);
    });
  }
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
 * path is ours, and again when it becomes ours because the node that had it left.
 */
export function serveHttp(red: NodeAPI, path: string, serve: Serve, onTurn: (mine: boolean) => void): () => void {
  const app = red.httpNode as object;
  const routes = routesOf.get(app) ?? new HttpRoutes(red);
  routesOf.set(app, routes);
  return routes.claim(path, { serve, onTurn });
}

/** The admin may have switched all HTTP of flows off. */
export function httpIsOff(red: NodeAPI): boolean {
  return (red.settings as { readonly httpNodeRoot?: string | false }).httpNodeRoot === false;
}
