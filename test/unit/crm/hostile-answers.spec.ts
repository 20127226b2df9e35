import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import type { PhoneNumber } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { FakeCrm, json, type Behaviour } from '../../support/fake-crm';

const number: PhoneNumber = { kind: 'phone', e164: '+74951343060', national: '4951343060', country: 'RU' };

describe('what a CRM says is untrusted', () => {
  let crm: FakeCrm;
  let account: CrmAccount | undefined;

  const start = async (behave: Behaviour): Promise<void> => {
    crm = await new FakeCrm(behave).start();
  };
  const open = (kind: string, settings: object, secrets: object): CrmAccount =>
    (account = createCrmAccount(
      { kind: crmKind(kind), settings: { url: `${crm.origin}/hook`, ...settings }, secrets },
      { clock: systemClock, log: silentLog },
    ));

  afterEach(async () => {
    await account?.close();
    await crm.stop();
  });

  it('an answer of a megabyte leaves a handful of clients in memory', async () => {
    const list = Array.from({ length: 9000 }, (_, id) => ({
      name: `Client ${id} ${'x'.repeat(40)}`,
      id,
      type: 'contact',
    }));
    await start(json({ obj: 'UserCRM', action: 'get_contact', code: 200, list }));
    const { answer } = await open('usercrm', {}, { token: 'crm-key' }).lookup(number, 15_000);
    assert.ok(answer.found);
    assert.ok(answer.entities.length <= 50, String(answer.entities.length));
    assert.match(answer.name, /^Client 0 /);
  });

  it('control characters in names become spaces: they would end a header or paint a terminal', async () => {
    const name = 'Петров\r\nInjected: yes\u0007\u001b[31m\u2028АА';
    await start(
      json({ obj: 'UserCRM', action: 'get_contact', code: 200, list: [{ name, id: '2\n', type: 'contact' }] }),
    );
    const { answer } = await open('usercrm', {}, { token: 'crm-key' }).lookup(number, 15_000);
    assert.ok(answer.found);
    assert.equal(answer.name, 'Петров Injected: yes [31m АА');
    assert.equal(/\p{Cc}/u.test(JSON.stringify(answer.entities)), false);
  });

  const secret = 'p&ss "wörd"/+';
  const forms: Readonly<Record<string, string>> = {
    'as it stands': secret,
    'as in an address': encodeURIComponent(secret),
    'as in a form': new URLSearchParams({ s: secret }).toString().slice(2),
    'as in JSON': JSON.stringify(secret).slice(1, -1),
    'as in Basic authorization': Buffer.from(`pbx:${secret}`, 'utf8').toString('base64'),
  };
  for (const [how, echoed] of Object.entries(forms)) {
    it(`a secret that the CRM echoes is not told: ${how}`, async () => {
      await start((_request, response) => {
        response.writeHead(400, { 'content-type': 'text/plain' });
        response.end(`refused ${echoed} here`);
      });
      const settings = { method: 'GET', url: `${crm.origin}/find?phone={{e164}}`, auth: 'basic', path: 'name' };
      const opened = open('generic-http', settings, { user: 'pbx', password: secret });
      const thrown = await opened.lookup(number, 15_000).catch((error: unknown) => error);
      assert.ok(thrown instanceof TelephonyError);
      assert.equal(thrown.code, 'CRM_REFUSED');
      assert.equal(thrown.message.includes(echoed), false, thrown.message);
      assert.match(thrown.message, /refused … here/);
    });
  }
});
