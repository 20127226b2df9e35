import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AccountLookup } from '../../../lib/crm/account';
import { crmError } from '../../../lib/crm/errors';
import type { CrmAnswer, UserMapping } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { numberingPlan } from '../../../lib/phone';
import type { Presence, UnfitReason } from '../../../lib/presence/types';
import { createLookup, type LookupOptions } from '../../../lib/routing/lookup';
import type { LookupResult } from '../../../lib/routing/types';
import { FakeClock } from '../../support/fake-clock';

type Owner = Extract<CrmAnswer, { found: true }>['owner'];

const plan = numberingPlan({ country: 'RU', extensionPattern: '1XX,10XX' });

const table: readonly UserMapping[] = [
  { extension: '101', userId: 'anna', name: 'Анна' },
  { extension: 'sales', userId: 'boris', name: 'Борис' },
  { extension: '10.7', userId: 'vera', name: 'Вера' },
];

/** A phone is fit unless it stands here. */
const presenceWith = (unfit: Record<string, UnfitReason>): Presence => ({
  availability(extension, inUseIsFit) {
    const reason = unfit[extension];
    if (reason === undefined || (reason === 'in-use' && inUseIsFit)) return { available: true, state: 'not_inuse' };
    return { available: false, reason, state: 'unknown' };
  },
});

const never = <T>() => new Promise<T>(() => undefined);

describe('the routing question', () => {
  let clock: FakeClock;
  let asked: string[];
  let crm: () => Promise<AccountLookup>;

  const account: LookupOptions['account'] = {
    lookup(phone) {
      asked.push(phone.kind === 'phone' ? phone.e164 : phone.digits);
      return crm();
    },
    extensionOf: (userId) => table.find((line) => line.userId === userId)?.extension,
    userOf: (extension) => table.find((line) => line.extension === extension),
  };

  async function ask(
    options: Partial<LookupOptions> = {},
    phone = '8 (495) 134-30-60',
  ): Promise<LookupResult['contact']> {
    return (await createLookup({ account, plan, clock, ...options }).lookup(phone)).contact;
  }

  /** The CRM knows the client and names this owner. */
  const ownedBy = (owner: Owner) => {
    const answer: CrmAnswer = { found: true, name: 'Петров', entities: [], ...(owner === undefined ? {} : { owner }) };
    crm = () => Promise.resolve({ answer, from: 'crm' });
  };

  beforeEach(() => {
    clock = new FakeClock();
    asked = [];
    ownedBy({ id: 'anna', name: 'Анна С.' });
  });

  afterEach(() => assert.equal(clock.running, 0, 'no timer is left'));

  it('a client whose responsible person can take the call is found', async () => {
    const entities = [{ type: 'contact', id: '2', name: 'Петров', ownerId: 'anna' }];
    const answer: CrmAnswer = { found: true, name: 'Петров', entities, owner: { id: 'anna', name: 'Анна С.' } };
    crm = () => Promise.resolve({ answer, from: 'cache' });
    assert.deepEqual(await ask({ presence: presenceWith({}) }), {
      found: true,
      outcome: 'found',
      number: '+74951343060',
      name: 'Петров',
      entities,
      owner: { id: 'anna', name: 'Анна С.' },
      extension: '101',
      available: true,
      from: 'cache',
      tookMs: 0,
    });
    assert.deepEqual(asked, ['+74951343060']);
  });

  it('an unknown client is not found and goes to nobody, substitutes or not', async () => {
    crm = () => Promise.resolve({ answer: { found: false }, from: 'crm' });
    assert.deepEqual(await ask({ defaultSubstitute: '600' }), {
      found: false,
      outcome: 'not-found',
      number: '+74951343060',
      entities: [],
      from: 'crm',
      tookMs: 0,
    });
  });

  it('without a PBX phones are not checked', async () => {
    const contact = await ask();
    assert.equal(contact.outcome, 'found');
    assert.equal(contact.extension, '101');
    assert.ok(!('available' in contact));
  });

  describe('numbers', () => {
    const bad: readonly (readonly [string, string, string])[] = [
      ['empty', '', 'ROUTE_NO_NUMBER'],
      ['anonymous', 'anonymous', 'ROUTE_NO_NUMBER'],
      ['60 characters', '7'.repeat(60), 'ROUTE_BAD_NUMBER'],
      ['a line end inside', '+7495\r\n1343060', 'ROUTE_BAD_NUMBER'],
      ['a word', 'callme', 'ROUTE_BAD_NUMBER'],
    ];
    for (const [name, phone, code] of bad) {
      it(`${name} is bad-number, without asking the CRM`, async () => {
        const result = await createLookup({ account, plan, clock }).lookup(phone);
        assert.equal(result.contact.outcome, 'bad-number');
        assert.equal(result.contact.error?.code, code);
        assert.equal(result.error?.code, code);
        assert.equal(asked.length, 0);
      });
    }

    it('an extension that calls is no client, and the CRM is not asked', async () => {
      const contact = await ask({}, '101');
      assert.equal(contact.outcome, 'not-found');
      assert.equal(contact.number, '101');
      assert.equal(asked.length, 0);
    });

    it('digits that are no valid number are asked for as they stand', async () => {
      await ask({}, '5550001');
      assert.deepEqual(asked, ['5550001']);
    });
  });

  describe('who is responsible', () => {
    const cases: readonly (readonly [string, Owner, string | undefined, { id?: string; name?: string } | undefined])[] =
      [
        ['a user of the table', { id: 'anna' }, '101', { id: 'anna', name: 'Анна' }],
        ['the table wins over the CRM', { id: 'anna', extension: '199' }, '101', { id: 'anna', name: 'Анна' }],
        ['an extension from the CRM', { id: 'x', name: 'Х', extension: '150' }, '150', { id: 'x', name: 'Х' }],
        ['an extension alone: the user from the table', { extension: '101' }, '101', { id: 'anna', name: 'Анна' }],
        ['an extension alone that nobody has', { extension: '150' }, '150', undefined],
        ['a user without an extension', { id: 'x', name: 'Х' }, undefined, { id: 'x', name: 'Х' }],
        ['nobody', undefined, undefined, undefined],
        ['UserCRM: a user of the table', { id: 'anna', idMayBeExtension: true }, '101', { id: 'anna', name: 'Анна' }],
        [
          'UserCRM: an extension of the table',
          { id: 'sales', idMayBeExtension: true },
          'sales',
          { id: 'boris', name: 'Борис' },
        ],
        ['UserCRM: an extension of the plan', { id: '1004', idMayBeExtension: true }, '1004', { id: '1004' }],
        ['UserCRM: an id that is neither', { id: '77', idMayBeExtension: true }, undefined, { id: '77' }],
        ['an id of another CRM that looks like an extension', { id: '150' }, undefined, { id: '150' }],
      ];
    for (const [name, owner, extension, person] of cases) {
      it(name, async () => {
        ownedBy(owner);
        const contact = await ask();
        assert.equal(contact.extension, extension);
        assert.deepEqual(contact.owner, person);
        assert.equal(contact.outcome, extension === undefined ? 'not-available' : 'found');
        if (extension === undefined) assert.equal(contact.reason, 'no-extension');
      });
    }

    for (const extension of [
      '101\r\nX: y',
      '101,dial',
      '1 0 1',
      '${EXTEN}',
      'x'.repeat(33),
      '101&102',
      'SIP/101',
      '10.1',
    ]) {
      it(`an extension ${JSON.stringify(extension).slice(0, 40)} is none, and the flow is told`, async () => {
        ownedBy({ id: 'x', extension });
        const result = await createLookup({ account, plan, clock, defaultSubstitute: '600' }).lookup('+74951343060');
        assert.equal(result.contact.extension, '600');
        assert.equal(result.contact.substitute?.reason, 'no-extension');
        assert.equal(result.error?.code, 'ROUTE_BAD_EXTENSION');
        assert.equal(result.contact.error?.code, 'ROUTE_BAD_EXTENSION');
        assert.doesNotMatch(result.error.message, /[\r\n]/);
      });
    }
  });

  it('an extension of the table that cannot be dialled is none either', async () => {
    for (const owner of [{ id: 'vera' }, { extension: '10.7' }]) {
      ownedBy(owner);
      const contact = await ask();
      assert.deepEqual([contact.outcome, contact.error?.code], ['not-available', 'ROUTE_BAD_EXTENSION']);
    }
  });

  describe('the responsible person cannot take the call', () => {
    const reasons: readonly UnfitReason[] = [
      'link-down',
      'unknown-extension',
      'not-registered',
      'in-use',
      'do-not-disturb',
    ];
    for (const reason of reasons) {
      it(`${reason} is told`, async () => {
        const contact = await ask({ presence: presenceWith({ 101: reason }) });
        assert.equal(contact.found, true);
        assert.equal(contact.outcome, 'not-available');
        assert.equal(contact.available, false);
        assert.equal(contact.reason, reason);
        assert.ok(!('extension' in contact));
      });
    }

    it('with the link down nobody stands in, and the link is the reason', async () => {
      const presence = presenceWith({ 101: 'link-down', 105: 'link-down', 600: 'link-down' });
      const contact = await ask({ presence, substitutes: { anna: '105' }, defaultSubstitute: '600' });
      assert.deepEqual([contact.outcome, contact.reason], ['not-available', 'link-down']);
    });

    it('a phone on a call counts as fit when the admin says so', async () => {
      const contact = await ask({ presence: presenceWith({ 101: 'in-use' }), inUseIsFit: true });
      assert.equal(contact.extension, '101');
    });

    it('his substitute takes it, named by user or by extension', async () => {
      for (const key of ['anna', '101']) {
        const contact = await ask({
          presence: presenceWith({ 101: 'not-registered' }),
          substitutes: { [key]: '105' },
          defaultSubstitute: '600',
        });
        assert.equal(contact.outcome, 'found');
        assert.equal(contact.extension, '105');
        assert.equal(contact.available, true);
        assert.deepEqual(contact.substitute, { for: '101', reason: 'not-registered' });
      }
    });

    it('the default substitute takes it when his own cannot', async () => {
      const presence = presenceWith({ 101: 'in-use', 105: 'not-registered' });
      const contact = await ask({ presence, substitutes: { anna: '105' }, defaultSubstitute: '106' });
      assert.equal(contact.extension, '106');
      assert.deepEqual(contact.substitute, { for: '101', reason: 'in-use' });
    });

    it('a queue, which has no device, may stand in; its availability stays open', async () => {
      const presence = presenceWith({ 101: 'in-use', 600: 'unknown-extension' });
      const contact = await ask({ presence, defaultSubstitute: '600' });
      assert.equal(contact.outcome, 'found');
      assert.equal(contact.extension, '600');
      assert.ok(!('available' in contact));
    });

    it('nobody fit: not available, with the reason of the responsible person', async () => {
      const presence = presenceWith({ 101: 'do-not-disturb', 105: 'in-use', 106: 'not-registered' });
      const contact = await ask({ presence, substitutes: { anna: '105' }, defaultSubstitute: '106' });
      assert.equal(contact.outcome, 'not-available');
      assert.equal(contact.reason, 'do-not-disturb');
      assert.ok(!('substitute' in contact));
    });

    it('nobody stands in for himself', async () => {
      const contact = await ask({ presence: presenceWith({ 101: 'in-use' }), defaultSubstitute: '101' });
      assert.equal(contact.outcome, 'not-available');
    });

    it('a client without a responsible person goes to the default substitute', async () => {
      ownedBy(undefined);
      const contact = await ask({ presence: presenceWith({}), defaultSubstitute: ' 105 ' });
      assert.equal(contact.extension, '105');
      assert.deepEqual(contact.substitute, { reason: 'no-extension' });
    });

    it('a user without an extension is stood in for by his own substitute', async () => {
      ownedBy({ id: 'x' });
      assert.equal((await ask({ substitutes: { x: '105' }, defaultSubstitute: '600' })).extension, '105');
    });

    it('a substitute that cannot be dialled is refused when the flow starts', () => {
      for (const options of [{ defaultSubstitute: '1 2' }, { substitutes: { anna: '105,106' } }]) {
        assert.throws(() => createLookup({ account, plan, clock, ...options }), { code: 'ROUTE_BAD_SUBSTITUTE' });
      }
      createLookup({ account, plan, clock, defaultSubstitute: '', substitutes: { anna: '' } });
    });
  });

  describe('while the states of the phones are still coming', () => {
    let known: () => void;
    let loading: Presence;
    const answersAfter = (ms: number) => {
      const answer: CrmAnswer = { found: true, name: 'Петров', entities: [], owner: { id: 'anna' } };
      crm = () => new Promise((resolve) => clock.after(ms, () => resolve({ answer, from: 'crm' })));
    };

    beforeEach(() => {
      let over = false;
      const settled = new Promise<void>((resolve) => {
        known = () => {
          over = true;
          resolve();
        };
      });
      loading = {
        availability: () =>
          over ? { available: true, state: 'not_inuse' } : { available: false, reason: 'link-down', state: 'unknown' },
        settled: () => settled,
      };
    });

    it('waits for them, and the responsible person gets the call', async () => {
      answersAfter(100);
      const result = ask({ presence: loading });
      await clock.advanceAsync(400);
      assert.equal(await Promise.race([result, Promise.resolve('waiting')]), 'waiting');
      known();
      const contact = await result;
      assert.deepEqual([contact.outcome, contact.extension, contact.tookMs], ['found', '101', 400]);
    });

    it('waits no longer than the deadline lets it', async () => {
      answersAfter(1200);
      const result = ask({ presence: loading });
      await clock.advanceAsync(1999);
      assert.equal(await Promise.race([result, Promise.resolve('waiting')]), 'waiting');
      await clock.advanceAsync(1);
      const contact = await result;
      assert.deepEqual([contact.outcome, contact.reason, contact.tookMs], ['not-available', 'link-down', 2000]);
    });

    it('does not wait for them when nobody could take the call anyway', async () => {
      crm = () => Promise.resolve({ answer: { found: false }, from: 'crm' });
      assert.equal((await ask({ presence: loading })).outcome, 'not-found');
    });

    it('a presence that fails to tell is no reason to wait', async () => {
      const broken: Presence = { ...loading, settled: () => Promise.reject(new Error('x')) };
      assert.equal((await ask({ presence: broken })).reason, 'link-down');
    });
  });

  describe('the CRM fails', () => {
    const failures: readonly (readonly [string, string])[] = [
      ['CRM_TIMEOUT', 'timeout'],
      ['CRM_LIMITED', 'limited'],
      ['CRM_UNAUTHORIZED', 'error'],
      ['CRM_BREAKER_OPEN', 'error'],
    ];
    for (const [code, outcome] of failures) {
      it(`${code} is ${outcome}`, async () => {
        const error = new TelephonyError(code, { en: 'text', ru: 'текст' });
        crm = () => Promise.reject(error);
        const result = await createLookup({ account, plan, clock, defaultSubstitute: '600' }).lookup('+74951343060');
        assert.equal(result.error, error);
        assert.deepEqual(result.contact, {
          found: false,
          outcome,
          number: '+74951343060',
          entities: [],
          error: { code, message: 'text' },
          tookMs: 0,
        });
      });
    }

    it('an account that never settles ends with the deadline, exactly', async () => {
      crm = never;
      const result = ask();
      await clock.advanceAsync(1999);
      assert.equal(await Promise.race([result, Promise.resolve('waiting')]), 'waiting');
      await clock.advanceAsync(1);
      const contact = await result;
      assert.equal(contact.outcome, 'timeout');
      assert.equal(contact.tookMs, 2000);
    });

    it('an account that keeps its own deadline is heard, for it knows better what happened', async () => {
      for (const deadlineMs of [100, 2000, 30_000]) {
        const late: LookupOptions['account'] = {
          ...account,
          lookup: (_, ms) =>
            new Promise((_resolve, reject) => clock.after(ms, () => reject(crmError('CRM_TIMEOUT', { ms })))),
        };
        const result = ask({ account: late, deadlineMs });
        await clock.advanceAsync(deadlineMs);
        const { outcome, error, tookMs } = await result;
        assert.deepEqual([outcome, error?.code], ['timeout', 'CRM_TIMEOUT']);
        assert.ok(tookMs < deadlineMs && tookMs >= deadlineMs * 0.9, `${tookMs} ms of ${deadlineMs}`);
      }
    });

    it('an account or a presence that throws is an error, never a rejection', async () => {
      crm = () => {
        throw new TypeError('secret');
      };
      const contact = await ask();
      assert.equal(contact.outcome, 'error');
      assert.equal(contact.error?.code, 'ROUTE_FAULT');
      assert.ok(!contact.error.message.includes('secret'));
      ownedBy({ id: 'anna' });
      const presence: Presence = {
        availability() {
          throw crmError('CRM_CLOSED');
        },
      };
      assert.equal((await ask({ presence })).outcome, 'error');
    });
  });

  it('whatever is asked and whatever the CRM names, the answer resolves and its extension can be dialled', async () => {
    const owner = fc.record(
      { id: fc.string(), name: fc.string(), extension: fc.string(), idMayBeExtension: fc.constant(true as const) },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), owner, async (phone, named) => {
        ownedBy(named);
        const contact = await ask({ presence: presenceWith({}) }, phone);
        if (contact.extension !== undefined) assert.match(contact.extension, /^[0-9*#A-Za-z_+-]{1,32}$/);
      }),
    );
  });
});
