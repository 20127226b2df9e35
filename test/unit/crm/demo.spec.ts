import assert from 'node:assert/strict';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { crmKind, crmKinds } from '../../../lib/crm/kinds';
import { systemClock } from '../../../lib/clock';
import { silentLog } from '../../../lib/log';

const phones = [
  '+74951343060',
  ...Array.from({ length: 10 }, (_, i) => `+749500000${String(i + 1).padStart(2, '0')}`),
  '+375172000101',
  '+442079460101',
];

describe('demo CRM', () => {
  let account: CrmAccount;

  const open = (settings: Record<string, unknown> = {}) =>
    (account = createCrmAccount(
      { kind: crmKind('demo'), settings, secrets: {} },
      { clock: systemClock, log: silentLog },
    ));

  const find = async (e164: string) => {
    const { answer } = await account.lookup({ kind: 'phone', e164, national: e164.slice(2) }, 15_000);
    return answer;
  };

  afterEach(() => account.close());

  it('knows the client of the UserCRM document', async () => {
    open();
    const answer = await find('+74951343060');
    assert.ok(answer.found);
    assert.equal(answer.name, 'Петров АА');
    assert.equal(answer.owner?.extension, '101');
    assert.deepEqual(
      answer.entities.map(({ type, name }) => [type, name]),
      [
        ['contact', 'Петров АА'],
        ['company', 'ООО Ромашка'],
      ],
    );
  });

  it('has a client with a real number for each of the six phones, one without owner, one whose owner has no phone', async () => {
    open();
    const answers = await Promise.all(phones.map(find));
    const owners = answers.map((answer) => (answer.found ? answer.owner : 'unknown'));
    const extensions = owners.map((owner) => (typeof owner === 'object' ? owner.extension : undefined));
    for (const extension of ['101', '102', '103', '104', '105', '106']) assert.ok(extensions.includes(extension));
    assert.ok(!owners.includes('unknown'));
    assert.ok(owners.includes(undefined));
    assert.ok(
      owners.some((owner) => typeof owner === 'object' && owner.id !== undefined && owner.extension === undefined),
    );
    for (const phone of phones) assert.equal(parsePhoneNumberFromString(phone)?.isValid(), true, phone);
    const names = answers.map((answer) => (answer.found ? answer.name : ''));
    assert.ok(names.some((name) => [',', '"', '&', '='].every((sign) => name.includes(sign))));
  });

  it('does not know others', async () => {
    open();
    assert.deepEqual(await find('+74959999999'), { found: false });
  });

  it('passes its test and lists its users', async () => {
    open();
    assert.equal((await account.test())?.ru, 'клиентов: 13, пользователей: 7');
    assert.deepEqual((await account.loadUsers())[0], { id: '1', name: 'Анна Смирнова', extension: '101' });
  });

  it('takes its time when told to', async () => {
    open({ delayMs: '80' });
    const begun = performance.now();
    await find('+74951343060');
    assert.ok(performance.now() - begun >= 79);
  });

  it('plays a CRM that is down and one that never answers', async () => {
    open({ mode: 'down' });
    await assert.rejects(find('+74951343060'), { code: 'CRM_UNREACHABLE', message: /demo CRM .* choose "Works"/ });
    await account.close();
    open({ mode: 'silent' });
    await assert.rejects(account.lookup({ kind: 'raw', digits: '1' }, 50), { code: 'CRM_TIMEOUT' });
  });

  it('names a wrong setting', () => {
    open();
    assert.throws(() => crmKind('demo').create({ delayMs: 'soon' }, {}, undefined as never), {
      code: 'CRM_BAD_SETTINGS',
    });
    assert.throws(() => crmKind('demo').create({ mode: 'x' }, {}, undefined as never), { code: 'CRM_BAD_SETTINGS' });
  });
});

describe('the CRM kinds', () => {
  it('have ids of their own, a title and labels in both languages, and defaults that are choices', () => {
    const ids = crmKinds.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { title, fields: own, deliveryFields = [] } of crmKinds) {
      assert.ok(title.en && title.ru);
      // An error names a field by its name alone: none may be in both dialogs.
      const fields = [...own, ...deliveryFields];
      const names = fields.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      for (const field of fields) {
        assert.ok(field.label.en && field.label.ru, field.name);
        // The dialog gives a label one narrow column; that of pairs or a table has the whole line.
        const longest = Math.max(field.label.en.length, field.label.ru.length);
        if (field.type !== 'pairs' && field.type !== 'table')
          assert.ok(longest <= 15, `${field.label.en}, ${field.label.ru}`);
        if (field.type === 'secret') assert.ok(['user', 'password', 'token'].includes(field.name));
        if (field.type === 'choice')
          assert.ok(
            field.choices?.some(({ value }) => value === field.default),
            field.name,
          );
        if (field.when) assert.ok(names.includes(field.when.field), field.name);
      }
    }
  });

  it('an unknown one is named', () => {
    assert.throws(() => crmKind('sap'), { code: 'CRM_BAD_SETTINGS', message: /"sap"/ });
  });
});
