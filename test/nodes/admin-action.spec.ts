import assert from 'node:assert/strict';
import { FakeCrm } from '../support/fake-crm';
import { crm, routeNodes, tab } from './support/route-flow';
import { admin, load, unload } from './support/runtime';

interface Reply {
  readonly status: number;
  readonly body: { readonly error?: { readonly code: string; readonly message: string } };
}

const URL = '/telephony-crm/crm-config/crm/test';

describe('a button of a dialog', () => {
  const server = new FakeCrm((_request, response) => response.end('[]'));

  before(() => server.start());
  after(() => server.stop());
  beforeEach(() => load(routeNodes, [tab, crm()], { credentials: { crm: { token: 'stored' } } }));
  afterEach(unload);

  const question = () => ({
    kind: 'usercrm',
    settings: { url: server.origin },
    lang: 'en',
    credentials: { token: '__PWRD__' },
  });
  const refused = ({ status, body }: Reply) => {
    assert.deepEqual([status, body.error?.code, server.requests.length], [400, 'NOT_FROM_DIALOG', 0]);
  };

  it('is not for a form of another site: it would send the stored key wherever the form says', async () => {
    const asking = admin().post(URL).set('Origin', 'http://evil.example').type('form').send(question());
    refused(await asking);
  });

  it('is not for a script of another site', async () => {
    const asking = admin().post(URL).set('Sec-Fetch-Site', 'cross-site').send(question());
    refused(await asking);
  });

  it('is for the editor, from wherever it was opened', async () => {
    for (const site of ['same-origin', 'none']) {
      const asking = admin().post(URL).set('Sec-Fetch-Site', site).set('Origin', 'https://editor.example');
      assert.equal(((await asking.send(question())) as unknown as Reply).status, 200);
    }
    assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer stored');
  });
});
