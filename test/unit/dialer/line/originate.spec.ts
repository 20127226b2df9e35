import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeAction } from '../../../../lib/ami/encode';
import { objectionTo, originateFor, trunkOf, type OriginateSettings } from '../../../../lib/dialer/line/originate';
import type { Order } from '../../../../lib/dialer/types';
import type { DialSettings } from '../../../../lib/outbound/types';
import { numberingPlan } from '../../../../lib/phone';
import { FakeScript } from '../support/fake-script';
import { DIAL_SETTINGS } from '../support/line';
import { attemptOf, autocallOrder, clickOrder, colleague, plainOrder } from '../support/orders';

const EXPIRES = Date.UTC(2026, 0, 1, 12);

const withSettings = (more: Partial<DialSettings> = {}): OriginateSettings => ({
  plan: numberingPlan({ country: 'RU' }),
  dialling: { settings: { ...DIAL_SETTINGS, ...more } },
  script: new FakeScript(),
});
const build = (order: Order, more?: Partial<DialSettings>) =>
  originateFor(attemptOf(order), withSettings(more), EXPIRES);
const BY_CONTEXT = { channels: [] };

describe('the Originate of a try', () => {
  it('rings the agent first, then dials the client by the channel of the map', () => {
    const { action, headers } = build(clickOrder());
    assert.equal(action, 'Originate');
    assert.deepEqual(headers, {
      Channel: 'PJSIP/101',
      Application: 'Dial',
      Data: 'PJSIP/79031234567@trunk,60',
      Timeout: 30_000,
      Async: true,
      ChannelId: 'tcrm-abcdefgh-1-1',
    });
  });

  it('dials the client by the context when no channel fits, and an extension always', () => {
    const context = (order: Order, more?: Partial<DialSettings>) => {
      const { Context, Exten, Priority, Application } = build(order, more).headers ?? {};
      return { Context, Exten, Priority, Application };
    };
    assert.deepEqual(context(clickOrder(), BY_CONTEXT), {
      Context: 'click',
      Exten: '79031234567',
      Priority: 1,
      Application: undefined,
    });
    assert.deepEqual(context(colleague('102')), {
      Context: 'click',
      Exten: '102',
      Priority: 1,
      Application: undefined,
    });
  });

  it('shows the agent the client, and the client the usual caller id or the one of the order', () => {
    const of = (order: Order) => {
      const { headers, variables } = build(order);
      return [
        headers?.CallerID,
        variables?.['CONNECTEDLINE(num)'],
        variables?.['CALLERID(num)'],
        variables?.['CALLERID(name)'],
      ];
    };
    assert.deepEqual(of(clickOrder()), [undefined, '79031234567', undefined, undefined]);
    assert.deepEqual(of(clickOrder({ callerId: { number: '74951343060', name: 'Office, main "desk"' } })), [
      undefined,
      '79031234567',
      '74951343060',
      'Office, main "desk"',
    ]);
  });

  it('asks the agent’s phone to answer by itself, where its kind of channel can', () => {
    const variables = (agentChannel: string, autoAnswer: DialSettings['autoAnswer']) => {
      const all = Object.entries(build(clickOrder(), { agentChannel, autoAnswer }).variables ?? {});
      return all.filter(([name]) => name.includes('HEADER'));
    };
    assert.deepEqual(variables('PJSIP/{extension}', 'off'), []);
    assert.deepEqual(variables('PJSIP/{extension}', 'call-info'), [
      ['PJSIP_HEADER(add,Call-Info)', '<sip:127.0.0.1>;answer-after=0'],
    ]);
    assert.deepEqual(variables('PJSIP/{extension}', 'answer-mode'), [['PJSIP_HEADER(add,Answer-Mode)', 'Auto']]);
    assert.deepEqual(variables('SIP/{extension}', 'answer-mode'), [['SIPADDHEADER01', 'Answer-Mode: Auto']]);
    assert.deepEqual(variables('Local/{extension}@from-internal', 'alert-info'), []);
  });

  it('sends an autocall where its script says, with its variables over those of the order', () => {
    const order = autocallOrder({
      variables: { TCRM_FILES: 'forged', CRM_ID: '7' },
      callerId: { number: '+74951343060' },
    });
    const { headers, variables } = build(order);
    assert.deepEqual(headers, {
      Channel: 'PJSIP/79031234567@trunk',
      Context: 'telephony-crm-autocall',
      Exten: 's',
      Priority: 1,
      CallerID: '<+74951343060>',
      Timeout: 45_000,
      Async: true,
      ChannelId: 'tcrm-abcdefgh-1-1',
    });
    assert.deepEqual(variables, {
      CRM_ID: '7',
      TCRM_FILES: 'car-is-here',
      TCRM_ORDER: 1,
      TCRM_EXPIRES: (EXPIRES + 45_000) / 1000,
    });
    assert.equal(build(order, BY_CONTEXT).headers?.Channel, 'Local/79031234567@click');
  });

  it('leaves out of a caller id what would end its quotes', () => {
    const of = (name: string, number: string) => build(plainOrder({ callerId: { name, number } })).headers?.CallerID;
    assert.equal(of('Ivan "x" <666>', '7495<1>'), '"Ivan x 666" <74951>');
    assert.equal(of('', ''), undefined);
    assert.equal(of('', '101'), '<101>');
  });

  it('objects to what it could never dial', () => {
    const code = (order: Order, settings = withSettings()) => objectionTo(order, settings)?.code;
    assert.equal(code(clickOrder()), undefined);
    assert.equal(code(clickOrder({ extension: '8 903 123-45-67' })), 'LINE_UNKNOWN_EXTENSION');
    assert.equal(code(clickOrder({ extension: '101&SIP/666' })), 'LINE_UNKNOWN_EXTENSION');
    assert.equal(code(clickOrder(), withSettings({ channels: [], context: '' })), 'LINE_NO_WAY');
    const { plan, dialling } = withSettings();
    assert.equal(code(autocallOrder(), { plan, dialling }), 'LINE_NO_AUTOCALL');
    assert.equal(code(autocallOrder()), undefined);
    assert.equal(code(plainOrder()), undefined);
  });

  it('tells the trunk that an order occupies', () => {
    const trunk = (order: Order, more?: Partial<DialSettings>) => trunkOf(order, withSettings(more));
    assert.equal(trunk(clickOrder()), 'PJSIP/trunk');
    assert.equal(trunk(autocallOrder(), BY_CONTEXT), 'Local/click');
    for (const [channel, expected] of [
      ['PJSIP/101', 'PJSIP/101'],
      ['PJSIP/79031234567@trunk', 'PJSIP/trunk'],
      ['Local/100@default/n', 'Local/default'],
      ['DAHDI/g1/89031234567', 'DAHDI/g1'],
      ['IAX2/office/89031234567', 'IAX2/office'],
    ] as const) {
      assert.equal(trunk(plainOrder({ channel })), expected);
    }
  });

  it('can always be sent, or is refused by the link: no text of an order becomes a header or variable of its own', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.constantFrom('a\r\nAction: Logoff', '",ADMIN=1', '\0'),
    );
    fc.assert(
      fc.property(text, text, text, (name, number, value) => {
        const order = clickOrder({ callerId: { name, number }, variables: { CRM: value } });
        let lines: ReturnType<typeof encodeAction>;
        try {
          lines = encodeAction(build(order), 'id');
        } catch (thrown) {
          assert.equal((thrown as { code?: string }).code, 'AMI_BAD_VALUE');
          return;
        }
        assert.equal(lines.filter(([header]) => header === 'Variable').length, 6);
        assert.ok(lines.every(([, one]) => !/[\r\n\0]/.test(one)));
      }),
    );
  });
});
