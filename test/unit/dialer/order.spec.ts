import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeAction } from '../../../lib/ami/encode';
import { readCommand } from '../../../lib/dialer/commands';
import { dialledNumbers, readOrder } from '../../../lib/dialer/order';
import type { OrderNeeds, OrderSettings } from '../../../lib/dialer/order';
import { refusedOutcome } from '../../../lib/dialer/refused';
import type { Order, PlainOrder } from '../../../lib/dialer/types';
import { TelephonyError } from '../../../lib/errors';
import { numberingPlan } from '../../../lib/phone';
import { timeZonesOf } from '../../../lib/phone/time-zones';

const NOW = Date.UTC(2026, 0, 5, 10);
const plan = numberingPlan({ country: 'RU', extensionPattern: '1XX' });
const needs: OrderNeeds = {
  isKnown: (extension) => Promise.resolve(extension === '199' ? 'unknown' : extension === '198' ? 'not-yet' : 'known'),
  plan,
  now: NOW,
  timeZonesOf: () => ['Europe/Moscow'],
  usualEnd: () => NOW + 1000,
  extensionOf: (id) => (id === '7' ? '107' : id === '8' ? '89001234567' : undefined),
  extensionsAt: (ip) => Promise.resolve(ip === '10.0.0.1' ? ['101'] : ip === '10.0.0.2' ? ['101', '102'] : []),
};
const click: OrderSettings = {
  mode: 'click',
  tries: 2,
  periodMs: 5000,
  variables: { CAMPAIGN: 'spring' },
  files: ['usual'],
  detectMachine: false,
  triesOf: { busy: 1 },
  ringMs: 30_000,
};
const autocall: OrderSettings = { ...click, mode: 'autocall' };
const plain: OrderSettings = {
  ...click,
  mode: 'plain',
  channel: 'PJSIP/101',
  to: { application: 'Playback', data: 'a' },
};
const CLIENT = '8 (495) 123-45-67';

const codeOf = async (payload: unknown, settings = click): Promise<string> => {
  try {
    await readOrder(payload, settings, needs);
    return 'taken';
  } catch (thrown) {
    if (!(thrown instanceof TelephonyError)) throw thrown;
    assert.doesNotMatch(thrown.textIn('en') + thrown.textIn('ru'), /\{\w+\}/, 'a hole in the text');
    return thrown.code;
  }
};

describe('an order', () => {
  it('for a click is read, with what the dialog says of all orders', async () => {
    const order = await readOrder({ number: CLIENT, extension: 101, key: 7, data: { a: [1] } }, click, needs);
    assert.deepEqual(order, {
      mode: 'click',
      extension: '101',
      number: CLIENT,
      e164: '+74951234567',
      key: '7',
      by: '101',
      data: { a: [1] },
      expiresAt: NOW + 30_000,
      priority: 5,
      tries: 2,
      periodMs: 5000,
      variables: { CAMPAIGN: 'spring' },
    });
  });

  it('for an autocall is good until its window ends, unless it says something else', async () => {
    const order = await readOrder({ number: CLIENT }, autocall, needs);
    assert.deepEqual(order.mode === 'autocall' && [order.files, order.timeZones, order.expiresAt], [
      ['usual'],
      ['Europe/Moscow'],
      NOW + 1000,
    ]);
    const other = {
      number: CLIENT,
      files: 'a&b/c',
      timeZone: 'Asia/Omsk',
      expiresInSeconds: 60,
      priority: 9,
      prompt: 'p',
    };
    const given = await readOrder(other, autocall, needs);
    assert.deepEqual(
      given.mode === 'autocall' && [given.files, given.timeZones, given.expiresAt, given.priority, given.prompt],
      [['a', 'b/c'], ['Asia/Omsk'], NOW + 60_000, 9, 'p'],
    );
  });

  it('for an autocall has the time zone of the dialog where the number tells none, and that of the message always', async () => {
    const zones = async (number: string, more: object = {}): Promise<readonly string[]> => {
      const read = await readOrder(
        { number, ...more },
        { ...autocall, timeZone: 'Asia/Omsk' },
        { ...needs, timeZonesOf },
      );
      return read.mode === 'autocall' ? read.timeZones : [];
    };
    assert.deepEqual(await zones('+79031234567'), ['Asia/Omsk']);
    assert.deepEqual(await zones(CLIENT), ['Europe/Moscow']);
    assert.ok(
      (await zones('+12125552368')).every((zone) => zone !== 'Asia/Omsk'),
      'another country',
    );
    assert.deepEqual(await zones('+79031234567', { timeZone: 'Asia/Chita' }), ['Asia/Chita']);
    const unset = await readOrder({ number: '+79031234567' }, autocall, { ...needs, timeZonesOf });
    assert.equal(unset.mode === 'autocall' && unset.timeZones.length, 11);
  });

  it('finds the phone by the user of the CRM, or by the address he sits at', async () => {
    const extension = async (who: object): Promise<unknown> => {
      const order = await readOrder({ number: CLIENT, ...who }, click, needs);
      return 'extension' in order && order.extension;
    };
    assert.equal(await extension({ user: 7 }), '107');
    assert.equal(await extension({ ip: '10.0.0.1' }), '101');
    assert.equal(await codeOf({ number: CLIENT, user: '9' }), 'ORDER_NO_EXTENSION');
    assert.equal(await codeOf({ number: CLIENT, ip: '10.0.0.9' }), 'ORDER_NO_EXTENSION');
    assert.equal(await codeOf({ number: CLIENT, ip: '10.0.0.2' }), 'ORDER_AMBIGUOUS');
    assert.equal(await codeOf({ number: CLIENT, user: '8' }), 'ORDER_BAD', 'a number in the table is no extension');
  });

  it('is refused for whatever could be something else on its way to the PBX', async () => {
    const long = 'x'.repeat(300);
    const base = { number: CLIENT, extension: '101' };
    const bad: Record<string, unknown[]> = {
      extension: ['89001234567', '101&102', '*65', '1\n01', long, {}, true, '10', 'alice'],
      key: ['a\r\nb', long, {}, '\0'],
      priority: [10, -1, 1.5, '1e1', {}, []],
      expiresInSeconds: [0, -5, 1e9, 'soon'],
      callerId: ['a', { name: 'x" <1>' }, { name: 'a\r\nb' }, { number: '1,2' }, { name: long }, [1]],
      variables: [
        { 'SHELL(id)': 1 },
        { 'a,b': 1 },
        { 'a=b': 1 },
        { TCRM_ORDER: 1 },
        { __tcrm_x: 1 },
        { A: 'x\r\nAction: Logoff' },
        { A: 'x\0' },
        { A: long },
        { A: {} },
        Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`V${n}`, n])),
        'A=1',
        [1],
      ],
      data: ['x'.repeat(9000)],
      by: ['a\nb', long, {}],
    };
    for (const [field, values] of Object.entries(bad)) {
      for (const value of values) {
        const code = await codeOf({ ...base, [field]: value });
        assert.match(code, /^ORDER_(?:BAD|TOO_LARGE)$/, `${field} = ${JSON.stringify(value)}`);
      }
    }
    for (const number of [undefined, '', '*65', '#31#', 'abc', '8495\r\n123', long, '1;2', {}, [], 'sip:a@b'])
      assert.notEqual(await codeOf({ ...base, number }), 'taken', JSON.stringify(number));
    const audio = [['../a'], ['/a'], ['a.wav'], ['a b'], ['a&b'], [], Array(11).fill('a'), [7], 'a/../b', [long], {}];
    for (const files of audio)
      assert.notEqual(await codeOf({ ...base, files }, autocall), 'taken', JSON.stringify(files));
    for (const [field, value] of [
      ['language', 'en/../..'],
      ['language', 'EN'],
      ['prompt', '../a'],
      ['timeZone', 'Mars/Base'],
      ['timeZone', '+03:00\n'],
      ['detectMachine', 'yes'],
    ] as const)
      assert.equal(await codeOf({ ...base, [field]: value }, autocall), 'ORDER_BAD', field);
    for (const payload of [undefined, null, 7, 'call', [], new Map(), () => 1]) {
      assert.notEqual(await codeOf(payload), 'taken');
    }
    assert.equal(await codeOf({ ...base, number: '101' }), 'ORDER_BAD', 'nobody calls himself');
    const inherited = Object.create({ number: CLIENT, extension: '101' }) as object;
    assert.equal(await codeOf(inherited), 'ORDER_BAD_NUMBER');
  });

  it('of the plain kind never chooses what runs on the channel', async () => {
    const order = await readOrder({ application: 'System', applicationData: 'id' }, plain, needs);
    assert.deepEqual((order as PlainOrder).to, { application: 'Playback', data: 'a' });
    const moved = await readOrder({ channel: 'PJSIP/102', context: 'sales', exten: '700' }, plain, needs);
    assert.deepEqual((moved as PlainOrder).to, { context: 'sales', exten: '700', priority: 1 });
    for (const channel of [
      'PJSIP/101&PJSIP/102',
      'PJSIP/1,2',
      '101',
      'Local/1@a;b',
      'PJSIP/1\r\nX: y',
      'PJSIP/$' + '{A}',
    ])
      assert.equal(await codeOf({ channel }, plain), 'ORDER_BAD', channel);
    assert.equal(await codeOf({ exten: '100' }, plain), 'ORDER_BAD', 'an extension without a context');
  });

  it('goes to extensions that somebody has, and to no others', async () => {
    assert.equal(await codeOf({ number: CLIENT, extension: '199' }), 'ORDER_UNKNOWN_EXTENSION');
    assert.equal(await codeOf({ number: '199', extension: '101' }), 'ORDER_UNKNOWN_EXTENSION');
    assert.equal(await codeOf({ number: '102', extension: '198' }), 'ORDER_EXTENSIONS_NOT_READ');
    assert.equal(await codeOf({ number: '102', extension: '101' }), 'taken');
  });

  it('to an emergency number is called that, before anything else that is wrong with it', async () => {
    for (const number of ['112', '02']) {
      assert.equal(await codeOf({ number, extension: '199' }), 'OUTBOUND_EMERGENCY');
    }
  });

  it('for a click counts for the phone, whatever name is given', async () => {
    const read = await readOrder({ number: CLIENT, extension: '101', by: 'somebody else' }, click, needs);
    assert.equal(read.by, '101');
    assert.deepEqual(
      dialledNumbers(read, plan).map(({ number }) => number),
      ['101', CLIENT],
    );
  });

  it('of the plain kind tells every number that it would dial', () => {
    const numbersOf = (channel: string, exten = 's'): string[] => {
      const to = { context: 'a', exten, priority: 1 };
      const order = { mode: 'plain', channel, to } as PlainOrder;
      return dialledNumbers(order, plan).map(({ number, e164 }) => e164 ?? number);
    };
    assert.deepEqual(numbersOf('DAHDI/g1/89031234567'), ['+79031234567']);
    assert.deepEqual(numbersOf('PJSIP/trunk/sip:+12125552368@10.0.0.1'), ['+12125552368']);
    assert.deepEqual(numbersOf('Local/*72@office', '89031234567'), ['*72', '+79031234567']);
    assert.deepEqual(numbersOf('Local/s@autodial/n'), []);
    assert.deepEqual(numbersOf('DAHDI/g1/ww8-809-123.45.67'), ['+78091234567']);
    assert.deepEqual(numbersOf('DAHDI/g1/w*72'), ['*72']);
    assert.deepEqual(numbersOf('PJSIP/trunk/sip:s@192.168.100.200'), []);
  });

  it('that passes can be written into an Originate, whatever came in', async () => {
    const anything = fc.oneof(fc.string({ maxLength: 300 }), fc.integer(), fc.jsonValue(), fc.constant(undefined));
    const record = {
      number: fc.oneof(fc.constant(CLIENT), anything),
      extension: fc.oneof(fc.constant('101'), anything),
      key: anything,
      priority: anything,
      callerId: fc.oneof(anything, fc.record({ number: anything, name: anything })),
      variables: fc.oneof(anything, fc.dictionary(fc.string({ maxLength: 20 }), anything, { maxKeys: 5 })),
      data: anything,
      by: anything,
      files: fc.oneof(fc.constant(['a']), anything),
      prompt: anything,
    };
    await fc.assert(
      fc.asyncProperty(fc.record(record, { requiredKeys: [] }), async (payload) => {
        for (const settings of [click, autocall]) {
          let order: Order;
          try {
            order = await readOrder(payload, settings, needs);
          } catch (thrown) {
            assert.ok(thrown instanceof TelephonyError && thrown.code.startsWith('ORDER_'), String(thrown));
            const where = { pbx: 'office', mode: settings.mode, now: NOW, lang: 'en' as const };
            assert.ok(JSON.stringify(refusedOutcome(payload, where, thrown)).length < 20_000);
            continue;
          }
          assert.ok(Buffer.byteLength(JSON.stringify({ order })) < 64 * 1024);
          const { callerId } = order;
          const headers = { CallerID: `"${callerId?.name ?? ''}" <${callerId?.number ?? ''}>` };
          encodeAction({ action: 'Originate', headers: { ...headers, Async: true }, variables: order.variables }, '1');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a command', () => {
  const read = (payload: unknown) => readCommand(payload, plan);

  it('is told from an order', () => {
    assert.equal(read({ number: CLIENT }), undefined);
    assert.equal(read('pause'), undefined);
    assert.deepEqual(read({ command: 'pause' }), { command: 'pause' });
    assert.deepEqual(read({ command: 'status', orderId: '17' }), { command: 'status', which: 17 });
    assert.deepEqual(read({ command: 'block', numbers: CLIENT, reason: 'asked' }), {
      command: 'block',
      numbers: ['+74951234567'],
      reason: 'asked',
    });
  });

  it('that is none, or means nothing, is refused in words', () => {
    for (const payload of [
      { command: 'explode' },
      { command: '' },
      { command: 7 },
      { command: 'cancel' },
      { command: 'cancel', orderId: -1 },
      { command: 'block' },
      { command: 'block', numbers: ['101'] },
      { command: 'block', numbers: Array(10_001).fill(CLIENT) },
    ]) {
      assert.throws(() => read(payload), TelephonyError, JSON.stringify(payload).slice(0, 80));
    }
  });
});

describe('which orders a cancel means', () => {
  it('refuses more than one selector, and cancels nothing by the wider one', () => {
    const one = { all: true, orphans: true, orderId: 5, key: 'ride 17' };
    for (const [first, value] of Object.entries(one)) {
      assert.equal(readCommand({ command: 'cancel', [first]: value }, plan)?.command, 'cancel');
      for (const [second, other] of Object.entries(one)) {
        if (first === second) continue;
        assert.throws(() => readCommand({ command: 'cancel', [first]: value, [second]: other }, plan), {
          code: 'ORDER_BAD_COMMAND',
        });
      }
    }
  });
});
