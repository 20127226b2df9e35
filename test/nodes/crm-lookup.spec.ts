import assert from 'node:assert/strict';
import type { Contact } from '../../lib/routing/types';
import type { AmiConfigNode, CrmConfigNode } from '../../nodes/runtime/config-nodes';
import { FakeCrm, json } from '../support/fake-crm';
import { until } from '../support/wait';
import { crm, lookup, routeNodes, tab } from './support/route-flow';
import {
  deploy,
  lastStatus,
  load,
  logLines,
  messages,
  node,
  receive,
  unload,
  waitForMessages,
  waitForStatus,
} from './support/runtime';
import type { FlowNode } from './support/runtime';

type Properties = Readonly<Record<string, unknown>>;

const PHONE = '84951343060';
const STATUS = '@telephony-crm/node-red-asterisk/crm-config:crm-config.status';
const LINK = '@telephony-crm/node-red-asterisk/ami-config:ami-config.status';

const sinks: FlowNode[] = ['found', 'others', 'caught', 'completed'].map((id) => ({
  id,
  type: 'sink',
  z: 'f',
  wires: [],
}));

const flow = (more: Properties = {}, crmMore: Properties = {}): FlowNode[] => [
  tab,
  crm(crmMore),
  lookup({ wires: [['found'], ['others']], ...more }),
  { id: 'catch', type: 'catch', z: 'f', scope: null, uncaught: false, wires: [['caught']] },
  { id: 'complete', type: 'complete', z: 'f', scope: ['look'], uncaught: false, wires: [['completed']] },
  ...sinks,
];

/** What the lookup wrote, wherever it sent it. */
async function contactOf(msg: Properties): Promise<Contact & { readonly output: string }> {
  const before = messages('found').length;
  const both = () => messages('found').length + messages('others').length;
  const all = both();
  receive('look', { ...msg });
  await until(() => both() > all, 'the answer of the lookup');
  const output = messages('found').length > before ? 'found' : 'others';
  return { ...(messages(output).at(-1)?.contact as Contact), output };
}

describe('crm-lookup', () => {
  afterEach(unload);

  const start = (more?: Properties, crmMore?: Properties) => load(routeNodes, flow(more, crmMore));

  it('sends a call of a known client to output 1, and leaves the rest of the message alone', async () => {
    await start();
    const res = { of: 'somebody else' };
    receive('look', { topic: 'route', payload: { phone: PHONE }, usercrm: { id: '1' }, res, _msgid: 'abc' });
    const [message] = await waitForMessages('found');
    const { contact, ...rest } = message as { contact: Contact };
    assert.deepEqual([contact.outcome, contact.name, contact.extension], ['found', 'Петров АА', '101']);
    assert.equal(contact.number, '+74951343060');
    assert.deepEqual(rest, { topic: 'route', payload: { phone: PHONE }, usercrm: { id: '1' }, res, _msgid: 'abc' });
    assert.equal(messages('others').length, 0);
    assert.deepEqual([lastStatus('look')?.fill, lastStatus('look')?.text], ['green', 'crm-lookup.outcome.found']);
  });

  it('sends everything else to output 2 with the reason', async () => {
    await start();
    for (const [phone, outcome] of [
      ['84950000099', 'not-found'],
      ['84950000009', 'not-available'],
      ['', 'bad-number'],
      ['anonymous', 'bad-number'],
      ['8'.repeat(60), 'bad-number'],
      ['101\r\nx', 'bad-number'],
    ] as const) {
      const contact = await contactOf({ payload: { phone } });
      assert.deepEqual([contact.output, contact.outcome], ['others', outcome], phone);
    }
    assert.equal(messages('caught').length, 0);
  });

  it('takes a payload that is the number itself, as text or as a number', async () => {
    await start();
    assert.equal((await contactOf({ payload: PHONE })).extension, '101');
    assert.equal((await contactOf({ payload: 84951343060 })).extension, '101');
    assert.equal((await contactOf({ payload: { no: 'phone' } })).outcome, 'bad-number');
    assert.equal((await contactOf({})).outcome, 'bad-number');
  });

  it('reads and writes the properties that were chosen', async () => {
    await start({ phone: 'call.caller', output: 'crm.who' });
    receive('look', { call: { caller: PHONE } });
    const [message] = await waitForMessages('found');
    assert.equal((message?.crm as { who: Contact }).who.extension, '101');
    assert.equal(message?.contact, undefined);
  });

  it('is done exactly once for each message, on either output', async () => {
    await start();
    await contactOf({ payload: PHONE });
    await contactOf({ payload: '84950000099' });
    await waitForMessages('completed', 2);
    assert.equal(messages('completed').length, 2);
  });

  describe('a CRM that fails', () => {
    it('costs the caller the deadline at most, and is no error of the flow', async () => {
      await start({ deadline: '0.3' }, { settings: { mode: 'silent' } });
      const contact = await contactOf({ payload: PHONE });
      assert.deepEqual([contact.output, contact.outcome], ['others', 'timeout']);
      assert.equal(contact.error?.code, 'CRM_TIMEOUT');
      // The account gives up a little before the deadline.
      assert.ok(contact.tookMs >= 270 && contact.tookMs < 10_000, `${contact.tookMs} ms`);
      assert.equal(messages('caught').length, 0);
    });

    it('is told of in the log once a minute, not once a call', async () => {
      await start({}, { settings: { mode: 'down' } });
      for (let call = 0; call < 5; call += 1) {
        assert.equal((await contactOf({ payload: `8495000000${call + 1}` })).outcome, 'error');
      }
      const warnings = logLines('look').filter(
        (line) => line.level === 'warn' && line.text.includes('CRM_UNREACHABLE'),
      );
      assert.equal(warnings.length, 1);
      assert.equal(messages('caught').length, 0);
    });

    it('shows in the status until it answers again', async () => {
      const server = await new FakeCrm(json({}, 401)).start();
      try {
        const account = { kind: 'usercrm', settings: { url: server.origin } };
        await load(routeNodes, flow({}, account), { credentials: { crm: { token: 'k' } } });
        assert.equal(lastStatus('look')?.text, `${STATUS}.idle`);
        assert.equal((await contactOf({ payload: PHONE })).outcome, 'error');
        await waitForStatus('look', { fill: 'red', text: `${STATUS}.key` }, 15_000);

        const list = [{ name: 'Клиент', id: 7, type: 'contact', owner_id: 101 }];
        server.behave = json({ obj: 'UserCRM', action: 'get_contact', code: 200, list });
        const contact = await contactOf({ payload: PHONE });
        assert.deepEqual([contact.outcome, contact.name, contact.extension], ['found', 'Клиент', '101']);
        await waitForStatus('look', { fill: 'green', text: `${STATUS}.ok` }, 15_000);
      } finally {
        await server.stop();
      }
    });
  });

  describe('a number that the CRM does not know', () => {
    const unknown = '84951112233';

    it('makes nobody unless told to', async () => {
      await start();
      for (let call = 0; call < 2; call += 1)
        assert.equal((await contactOf({ payload: unknown })).outcome, 'not-found');
    });

    it('becomes a lead of the chosen user, once, and is known from then on', async () => {
      const people = [{ extension: '102', userId: '2', name: 'Борис' }];
      await start({ createType: 'lead', createOwner: '102', createName: 'С сайта {{national}}' }, { people });
      const first = await contactOf({ payload: unknown });
      assert.deepEqual([first.found, first.created, first.name], [true, true, 'С сайта 4951112233']);
      assert.deepEqual([first.output, first.extension], ['found', '102']);
      const [lead] = first.entities;
      assert.deepEqual([lead?.type, lead?.ownerId], ['lead', '2']);

      const again = await contactOf({ payload: `+${unknown.replace(/^8/, '7')}` });
      assert.deepEqual([again.found, again.created, again.entities[0]?.id], [true, undefined, lead?.id]);
    });

    it('makes nobody of a withheld number, an extension or digits that are no number', async () => {
      await start({ createType: 'contact' });
      for (const phone of ['anonymous', '', '101', '84951', '8'.repeat(30)]) {
        const contact = await contactOf({ payload: { phone } });
        assert.deepEqual([contact.found, contact.created, contact.entities.length], [false, undefined, 0], phone);
      }
    });

    it('is warned of when the CRM cannot make anybody, and calls are routed all the same', async () => {
      const server = await new FakeCrm(json({ obj: 'UserCRM', code: 200, list: [] })).start();
      try {
        const account = { kind: 'usercrm', settings: { url: server.origin } };
        await load(routeNodes, flow({ createType: 'lead' }, account), { credentials: { crm: { token: 'k' } } });
        assert.match(logLines('look').at(-1)?.text ?? '', /cannot create a lead|не умеет создавать лид/);
        assert.equal((await contactOf({ payload: unknown })).outcome, 'not-found');
      } finally {
        await server.stop();
      }
    });

    it('with a placeholder that does not exist is a mistake of the dialog, named as it is there', async () => {
      await start({ createType: 'lead', createName: '{{nam}}' });
      assert.match(logLines('look').at(-1)?.text ?? '', /Name of the new client|Имя нового клиента/);
    });
  });

  it('lets the calls that wait go when the flow is deployed again', async () => {
    await start({ deadline: '30' }, { settings: { mode: 'silent' } });
    for (const phone of [PHONE, '84950000001']) receive('look', { payload: phone });
    const began = performance.now();
    await deploy(flow({ deadline: '29' }, { settings: { mode: 'silent' } }));
    assert.ok(performance.now() - began < 10_000);
    const told = await waitForMessages('others', 2);
    assert.deepEqual(
      told.map(({ contact }) => [(contact as Contact).outcome, (contact as Contact).error?.code]),
      [
        ['error', 'LOOKUP_STOPPED'],
        ['error', 'LOOKUP_STOPPED'],
      ],
    );
  });

  it('answers without a CRM too, and says what is wrong', async () => {
    await start({ crm: '' });
    assert.equal((await contactOf({ payload: PHONE })).error?.code, 'CRM_NOT_CHOSEN');
    assert.match(lastStatus('look')?.text ?? '', /outcome\.error$/);
    await deploy(flow({}, { kind: 'no-such-crm' }));
    assert.equal((await contactOf({ payload: PHONE })).error?.code, 'CRM_BAD_SETTINGS');
  });

  it('names a substitute that cannot be dialled when it is deployed', async () => {
    await start({ defaultSubstitute: '101&102' });
    assert.match(logLines('look').at(-1)?.text ?? '', /101&102/);
    assert.equal((await contactOf({ payload: PHONE })).error?.code, 'ROUTE_BAD_SUBSTITUTE');
  });

  it('reads numbers by the rules of the chosen country', async () => {
    await start({ country: 'BY' });
    assert.equal((await contactOf({ payload: '80172000101' })).name, 'Христина Коваль');
  });

  it('leaves no listener behind, however often it is deployed', async () => {
    await start();
    const { account } = node('crm') as CrmConfigNode;
    assert.ok(account);
    const listening = new Set<unknown>();
    const onState = account.onState.bind(account);
    account.onState = (handler) => {
      const end = onState(handler);
      listening.add(handler);
      return () => {
        listening.delete(handler);
        end();
      };
    };
    for (let round = 1; round <= 10; round += 1) await deploy(flow({ name: `round ${round}` }));
    assert.equal(listening.size, 1);
  });

  describe('with a PBX', () => {
    const pbxNode: FlowNode = { id: 'pbx', type: 'ami-config', name: 'Office', mode: 'simulator', country: 'RU' };
    const office = async (more: Properties = {}) => {
      await load(routeNodes, [pbxNode, ...flow({ pbx: 'pbx', ...more })]);
      const { pbx } = node('pbx') as AmiConfigNode;
      await until(() => pbx.presence.availability('101', false).available, 'the states of the phones');
      return pbx;
    };

    it('looks whether the phone of the responsible person is there', async () => {
      await office();
      assert.equal((await contactOf({ payload: PHONE })).available, true);
      const away = await contactOf({ payload: '84950000004' });
      assert.deepEqual([away.outcome, away.reason, away.name], ['not-available', 'not-registered', 'Павел Виноградов']);
    });

    it('sends the call to whoever stands in: the own substitute first, then the general one', async () => {
      await office({ substitutes: [{ from: '104', to: '105' }], defaultSubstitute: '700' });
      const away = await contactOf({ payload: '84950000004' });
      assert.deepEqual([away.outcome, away.extension], ['found', '105']);
      assert.deepEqual(away.substitute, { for: '104', reason: 'not-registered' });
      assert.equal((await contactOf({ payload: '84950000009' })).extension, '700');
    });

    it('has nobody to send a call to while the PBX is away', async () => {
      await load(routeNodes, [{ ...pbxNode, mode: 'asterisk', host: '', port: '' }, ...flow({ pbx: 'pbx' })]);
      const contact = await contactOf({ payload: PHONE });
      assert.deepEqual([contact.outcome, contact.reason], ['not-available', 'link-down']);
      await waitForStatus('look', { fill: 'red', text: `${LINK}.settings` });
    });

    it('does not take a PBX that was disabled or deleted for "no PBX": nobody counts as reachable, and the status says so', async () => {
      await load(routeNodes, flow({ pbx: 'gone', country: 'BY', defaultSubstitute: '105' }));
      await waitForStatus('look', { fill: 'grey', text: `${LINK}.missing` });
      const contact = await contactOf({ payload: '80172000101' });
      assert.deepEqual([contact.outcome, contact.reason], ['not-available', 'link-down']);
      assert.equal(contact.name, 'Христина Коваль');
      await waitForStatus('look', { fill: 'grey', text: `${LINK}.missing` }, 15_000);
    });

    it('shows the worse of link and CRM', async () => {
      const pbx = await office();
      await waitForStatus('look', { text: `${STATUS}.idle` });
      await contactOf({ payload: PHONE });
      await waitForStatus('look', { fill: 'green', text: `${STATUS}.ok` }, 15_000);
      await pbx.simulator?.stop();
      await waitForStatus('look', { fill: 'red', text: `${LINK}.lost` }, 15_000);
    });
  });
});
