import assert from 'node:assert/strict';
import { removeFolder, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { until } from '../support/wait';

interface Refused {
  readonly found: boolean;
  readonly error: { readonly code: string; readonly message: string };
}

const flows = [
  { id: 'f', type: 'tab', label: 'f' },
  { id: 'in', type: 'usercrm-in', z: 'f', x: 0, y: 0, protocols: ['itgrix', 'json', 'usercrm'], wires: [['say']] },
  {
    id: 'say',
    type: 'change',
    z: 'f',
    x: 0,
    y: 0,
    rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"extension":"101"}', tot: 'json' }],
    wires: [['out']],
  },
  { id: 'out', type: 'usercrm-out', z: 'f', x: 0, y: 0, wires: [] },
];

describe('usercrm-in below one root with the editor, as Node-RED comes', () => {
  let nodeRed: RealNodeRed;

  before(async () => {
    // What Node-RED 4 does by itself, 5 only when it is told to.
    const settings = `httpAdminCors: { origin: '*' },`;
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows, settings });
    const known = async () => (await fetch(`${nodeRed.url}/route.json?phone=1`)).status === 200;
    await until(known, 'the flow to answer');
  });

  after(async () => {
    await nodeRed.stop();
    await removeFolder(nodeRed.userDir);
  });

  const post = (path: string, body: string | ReadableStream, headers: Record<string, string> = {}) =>
    fetch(nodeRed.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      ...(typeof body === 'string' ? {} : { duplex: 'half' }),
    });
  const refused = async (response: Response, status: number, code: string): Promise<Refused> => {
    const text = await response.text();
    assert.equal(response.status, status, text);
    const body = JSON.parse(text) as Refused;
    assert.equal(body.error.code, code);
    return body;
  };
  /** A body that does not say its length beforehand. */
  const chunked = (text: string) => new Blob([text]).stream();

  it('answers what was asked in a body', async () => {
    const answer = (await (await post('/route.json', '{"phone":"84951343060"}')).json()) as { extension: string };
    assert.equal(answer.extension, '101');
  });

  it('refuses a body over the limit, far below that of the editor', async () => {
    const large = JSON.stringify({ phone: '1', more: 'x'.repeat(64 * 1024) });
    await refused(await post('/route.json', large), 413, 'PROTOCOL_BODY_TOO_LARGE');
    await refused(await post('/route.json', chunked(large)), 413, 'PROTOCOL_BODY_TOO_LARGE');
    const huge = JSON.stringify({ phone: '1', more: 'x'.repeat(6 * 1024 * 1024) });
    await refused(await post('/route.json', huge), 413, 'PROTOCOL_BODY_TOO_LARGE');
    await refused(await post('/route.json', chunked(huge)), 413, 'PROTOCOL_BODY_TOO_LARGE');
  });

  it('says in the format of the asker where its JSON is broken', async () => {
    const { found, error } = await refused(await post('/route.json', '{\n "phone" 1}'), 400, 'PROTOCOL_BAD_JSON');
    assert.equal(found, false);
    assert.match(error.message, /line 2, column 10/);
    const userCrm = await post('/integration/usercrm/', '{"action":');
    assert.equal(userCrm.status, 400);
    assert.match(await userCrm.text(), /"obj":"UserCRM".*PROTOCOL_BAD_JSON/);
  });

  it('refuses every other body that the parser of the editor gives up on', async () => {
    const deep = `{"phone":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    assert.equal((await post('/route.json', deep)).status, 400);
    const type = { 'content-type': 'application/json; charset=klingon' };
    await refused(await post('/route.json', '{"phone":"1"}', type), 415, 'PROTOCOL_MEDIA_TYPE');
    await refused(await post('/route.json', 'x', { 'content-encoding': 'gzip' }), 415, 'PROTOCOL_MEDIA_TYPE');
    assert.equal((await post('/route.json', '{"phone":', { authorization: 'Bearer wrong' })).status, 401);
  });

  it('leaves what is broken elsewhere to Node-RED', async () => {
    const answer = await post('/flows', '{');
    assert.equal(answer.status, 400);
    assert.match(answer.headers.get('content-type') ?? '', /html/);
  });

  it('lets no web page read an answer, whatever the editor allows', async () => {
    assert.equal((await fetch(`${nodeRed.url}/settings`)).headers.get('access-control-allow-origin'), '*');
    for (const asking of [
      fetch(`${nodeRed.url}/route.json?phone=1`, { headers: { origin: 'http://evil.example' } }),
      fetch(`${nodeRed.url}/route.json?phone=1`),
      post('/route.json', '{"phone":'),
    ]) {
      const answer = await asking;
      assert.equal(answer.headers.get('access-control-allow-origin'), null, String(answer.status));
    }
  });
});
