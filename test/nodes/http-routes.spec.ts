import assert from 'node:assert/strict';
import type { NextFunction, Request, Response } from 'express';
import type { Node, NodeAPI } from 'node-red';
import { serveHttp } from '../../nodes/runtime/http-routes';
import type { Route } from '../../nodes/runtime/http-routes';

type Recover = (thrown: unknown, req: Request, res: Response, next: NextFunction) => void;

const thrownBy = (type: string): Error => Object.assign(new Error('told by the parser'), { type });

/** Only what a refusal needs of an answer. */
class Answered {
  code = 0;
  readonly headersSent = false;
  removeHeader(): void {
    // Nothing was set.
  }
  status(code: number): this {
    this.code = code;
    return this;
  }
  end(): this {
    return this;
  }
}

describe('a body that the parser of the editor gave up on', () => {
  /** The application of the flows below one root with the editor, where its parser's errors arrive. */
  function served(route: Omit<Route, 'owner'>) {
    let recover: Recover | undefined;
    const parent = { use: (_path: string, handler: Recover) => void (recover = handler) };
    const httpNode = { use: () => undefined, parent, mountpath: '/' };
    serveHttp(
      { httpNode, settings: {} } as unknown as NodeAPI,
      '/agent/act',
      { ...route, owner: { id: 'page' } as unknown as Node },
      () => undefined,
    );
    return (thrown: unknown, path = '/agent/act') => {
      const res = new Answered();
      const passed: unknown[] = [];
      const next = (error: unknown) => void passed.push(error);
      recover?.(thrown, { path } as unknown as Request, res as unknown as Response, next);
      return passed.length > 0 ? 'passed on' : res.code;
    };
  }

  it('is refused without the node, which nobody in front was asked about', () => {
    const ask = served({ serve: () => assert.fail('served past the password') });
    assert.equal(ask(thrownBy('entity.parse.failed')), 400);
    assert.equal(ask(thrownBy('charset.unsupported')), 415);
    assert.equal(ask(thrownBy('entity.too.large')), 413);
    assert.equal(ask(thrownBy('entity.parse.failed'), '/elsewhere'), 'passed on');
    assert.equal(ask(new Error('of a flow')), 'passed on');
  });

  it('is told to a node that refuses it in the format of its askers', () => {
    const told: string[] = [];
    const ask = served({
      serve: () => assert.fail('served past the password'),
      refuse: (_req, res, { type }) => {
        told.push(type);
        res.status(422).end();
      },
    });
    assert.equal(ask(thrownBy('charset.unsupported')), 422);
    assert.deepEqual(told, ['charset.unsupported']);
  });
});
