import assert from 'node:assert/strict';
import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { Desk } from '../../lib/agents/desk';
import { DeskMemory } from '../../lib/agents/memory';
import { SignIn } from '../../lib/agents/sign-in';
import { signToken } from '../../lib/agents/tokens';
import { Access } from '../../lib/http-in/access';
import { AgentPage } from '../../nodes/runtime/agent-page';
import { FakeClock } from '../support/fake-clock';
import { until } from '../support/wait';
import { AgentsAtWork, has } from './support/agents';
import { FlowServer } from './support/http';

const SECRET = 'a key for all the links';
const refused = () => Promise.reject(new Error('not asked'));

describe('the stream for the page of a CRM', () => {
  const server = new FlowServer();
  const agents = new AgentsAtWork(server, '');
  const clock = new FakeClock(Date.now());
  const memory = new DeskMemory(clock);
  const page = new AgentPage({
    desk: new Desk(
      { templates: {}, popAt: 'never', tab: false, history: false, userOf: () => undefined },
      { clock, calls: { current: [], isKnown: true }, members: () => undefined, run: refused, runAgent: refused },
      memory,
    ),
    signIn: new SignIn(
      { pins: new Map(), secret: SECRET, pbx: 'office', page: 'pop', key: Buffer.alloc(32) },
      clock,
      memory.signIn,
    ),
    access: new Access({ allowList: '', trustedProxies: '' }),
    clock,
    origins: [],
    bare: (extension, listener, lastId) =>
      memory.bare.listen(extension, ({ id, data }) => listener(id, String(data)), lastId),
    nameOf: () => undefined,
    tell: () => undefined,
    warn: (error) => assert.fail(error),
  });

  before(async () => {
    const serve = page.routes.get('stream');
    const httpNode = (req: Request, res: Response) => serve?.(Object.assign(req, { originalUrl: req.url }), res);
    void server.init({ httpNode, settings: {} } as unknown as NodeAPI);
    await server.listen();
  });
  after(async () => {
    page.close();
    await server.close();
  });

  it('ends with the token, and not before', async () => {
    const token = signToken({ purpose: 'link', place: 'office' }, '101', clock.now() + 60_000, SECRET);
    const told = await agents.listen(`stream?token=${token}`);
    clock.advance(50_000);
    memory.bare.tell('101', 'message', '{"action":"call_ringing"}');
    await has(told, 'message');
    assert.equal(agents.open, 1);
    clock.advance(30_000);
    await until(() => agents.open === 0, 'the end of the stream');
    memory.bare.tell('101', 'message', '{"action":"call_hangup"}');
    assert.equal(told.length, 1);
  });
});
