import assert from 'node:assert/strict';
import type { AttemptPhase, AttemptResult, ClickOrder } from '../../lib/dialer/types';
import finesseConfigNode from '../../nodes/finesse-config';
import type { FinesseConfigNode } from '../../nodes/runtime/config-nodes';
import { FinesseDouble } from '../doubles/finesse';
import { until } from '../support/wait';
import { admin, load, logLines, node, unload } from './support/runtime';
import type { FlowNode } from './support/runtime';

interface Reply {
  readonly status: number;
  readonly body: { readonly note?: string; readonly error?: { readonly code: string; readonly message: string } };
}

const tab: FlowNode = { id: 'f', type: 'tab', label: 'f' };
const SECRET = 'anna-Secret';

describe('finesse-config', () => {
  let finesse: FinesseDouble;

  beforeEach(async () => {
    finesse = await new FinesseDouble().start();
  });
  afterEach(async () => {
    await unload();
    await finesse.stop();
  });

  const config = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'cc',
    type: 'finesse-config',
    name: 'CC',
    address: finesse.origin,
    tls: '',
    agents: [{ extension: '1001', login: 'anna', slot: 7 }],
    country: 'RU',
    extensions: '',
    dialAs: 'dialled',
    prefix: '9',
    ...more,
  });
  const start = (
    more: Record<string, unknown> = {},
    credentials: Record<string, string> = { password7: SECRET },
    lang: 'en' | 'ru' = 'en',
  ) => load([finesseConfigNode], [tab, config(more)], { credentials: { cc: credentials }, lang });
  const offered = (): FinesseConfigNode => node('cc') as FinesseConfigNode;
  const complaints = (): string[] =>
    logLines('cc')
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ text }) => text);

  const click = (more: Partial<ClickOrder> = {}): ClickOrder => ({
    mode: 'click',
    extension: '1001',
    number: '8 (903) 123-45-67',
    e164: '+79031234567',
    expiresAt: Date.now() + 60_000,
    priority: 5,
    tries: 1,
    periodMs: 1000,
    variables: {},
    ...more,
  });

  it('lets the phone of an agent call, as CUCM wants the number, and tells how it went', async () => {
    await start();
    const line = offered().dialling?.line;
    assert.ok(line);
    await until(() => line.isReady, 'Finesse in service');
    const phases: AttemptPhase[] = [];
    let result: AttemptResult | undefined;
    const attempt = {
      orderId: 1,
      try: 1,
      channelId: 'tcrm-1-1-1',
      startedAt: Date.now(),
      dialBefore: Infinity,
      order: click(),
    };
    void line.dial(attempt, (phase) => phases.push(phase)).then((ended) => (result = ended));
    await until(() => finesse.calls.length === 1, 'the call');
    assert.deepEqual([finesse.calls[0]?.from, finesse.calls[0]?.to], ['1001', '989031234567']);
    finesse.rings();
    await until(() => phases.includes('client-ringing'), 'ringing');
    finesse.answers();
    await until(() => phases.includes('answered'), 'the answer');
    finesse.ends();
    await until(() => result !== undefined, 'the end');
    assert.deepEqual([result?.outcome, result?.reached, finesse.ordered], ['answered', 'yes', 1]);
    assert.deepEqual(complaints(), []);
  });

  it('dials extensions as they are, and other forms of a number', async () => {
    await start({ dialAs: 'digits', prefix: '' });
    const line = offered().dialling?.line;
    await until(() => line?.isReady === true, 'Finesse in service');
    for (const [order, to] of [
      [click({ number: '2000', e164: undefined } as unknown as ClickOrder), '2000'],
      [click(), '79031234567'],
    ] as const) {
      const attempt = { orderId: 1, try: 1, channelId: to, startedAt: Date.now(), dialBefore: Infinity, order };
      const dialled = line!.dial(attempt, () => undefined);
      await until(() => finesse.calls.length === 1, to);
      assert.equal(finesse.calls[0]?.to, to);
      finesse.fails('BUSY');
      assert.equal((await dialled).outcome, 'busy');
      finesse.ends();
    }
  });

  it('has rules for what may be called', async () => {
    await start({ allow: '+7*, +375*', deny: '+7495*', perMinute: '2' });
    const guard = offered().dialling?.guard;
    const code = (e164: string) => guard?.objection({ number: e164, e164 })?.code;
    assert.deepEqual(['+79031234567', '+375291234567', '+74951234567', '+442071234567'].map(code), [
      undefined,
      undefined,
      'OUTBOUND_DENIED',
      'OUTBOUND_NOT_ALLOWED',
    ]);
    assert.deepEqual(
      [1, 2, 3].map(() => guard?.take('1001').free),
      [true, true, false],
    );
    const line = offered().dialling?.line;
    for (const number of ['*21*89031234567#', '', '1001&1002']) {
      assert.equal(
        line?.objection({ mode: 'click', extension: '1001', number } as ClickOrder)?.code,
        'FINESSE_BAD_NUMBER',
        number,
      );
    }
  });

  it('names the lines of the table that cannot be used, without a password, and works with the others', async () => {
    const agents = [
      { extension: '1001', login: 'anna', slot: 7 },
      { extension: '1002', login: 'boris', slot: 8 },
      { extension: '1001', login: 'eve', slot: 9 },
      { extension: '', login: 'nobody', slot: 10 },
      { extension: '1003', login: 'a:b', slot: 10 },
      { extension: '1004', login: 'carl', slot: 11 },
    ];
    await start(
      { agents },
      { password7: SECRET, password9: 'p9-Secret', password10: 'p10-Secret', password11: '${NOT_SET}' },
    );
    const line = offered().dialling?.line;
    assert.equal(line?.objection(click()), undefined);
    assert.equal(line?.objection(click({ extension: '1002' }))?.code, 'FINESSE_NO_AGENT');
    const told = complaints();
    assert.equal(told.length, 5);
    for (const pattern of [
      /password of extension 1002/,
      /1001 stands in the table twice/,
      /"" is no extension/,
      /login of extension 1003/,
      /NOT_SET is not set/,
    ]) {
      assert.ok(
        told.some((text) => pattern.test(text)),
        String(pattern),
      );
    }
    assert.doesNotMatch(told.join('\n'), /Secret/);
  });

  for (const [what, more, pattern] of [
    ['plain http to another machine', { address: 'http://finesse.example.com:8082' }, /Адрес: напишите https:/],
    ['a prefix that is none', { prefix: '9w' }, /Выход в город/],
    ['patterns that are none', { allow: '8495*' }, /Разрешены: «8495\*»/],
    ['a cap that is none', { perCaller: '0' }, /На одного: «0».*от 1 до 10000/],
    ['a country that is none', { country: 'Russia' }, /Russia/],
    ['a TLS configuration that is gone', { tls: 'gone' }, /TLS: выбранная конфигурация/],
    ['an address from nowhere', { address: '${NOT_SET}' }, /NOT_SET не задана/],
  ] as const) {
    it(`lives on with ${what}, and says so`, async () => {
      await start(more, undefined, 'ru');
      assert.equal(offered().dialling, undefined);
      assert.ok(offered().problem);
      assert.match(complaints()[0] ?? '', pattern);
    });
  }

  it('stops asking when it is closed', async () => {
    await start();
    const line = offered().dialling?.line;
    await until(() => line?.isReady === true, 'Finesse in service');
    finesse.server.fail('hang', { times: 10 });
    const attempt = { orderId: 1, try: 1, channelId: 'c', startedAt: Date.now(), dialBefore: Infinity, order: click() };
    void line?.dial(attempt, () => assert.fail('nothing may be told'));
    await until(() => finesse.requests.some(({ path }) => path.endsWith('Dialogs')), 'a question under way');
    const started = performance.now();
    await unload();
    assert.ok(performance.now() - started < 2000);
  });

  describe('the dialog', () => {
    const test = (body: object) =>
      admin().post('/telephony-crm/finesse-config/cc/test').send(body) as unknown as Promise<Reply>;
    const anna = { extension: '1001', login: 'anna', slot: 7 };

    it('tests the agent with the stored password, and signs nobody in', async () => {
      await start();
      const reply = await test({ address: finesse.origin, agent: anna, credentials: { password7: '__PWRD__' } });
      assert.equal(reply.body.note, 'Finesse answers; anna is signed in at 1001, state NOT_READY.');
      const typed = { ...anna, slot: 12 };
      const again = await test({
        address: finesse.origin,
        agent: typed,
        credentials: { password12: SECRET },
        lang: 'ru',
      });
      assert.match(again.body.note ?? '', /вход anna выполнен под номером 1001/);
      assert.ok(finesse.requests.every(({ method }) => method === 'GET'));
    });

    it('tells what is wrong', async () => {
      await start();
      const credentials = { password7: '__PWRD__', password8: 'boris-Secret' };
      const ask = async (more: object) => (await test({ address: finesse.origin, credentials, ...more })).body;
      assert.match((await ask({})).note ?? '', /No agent was checked/);
      assert.match(
        (await ask({ agent: { ...anna, extension: '1009' } })).note ?? '',
        /signed in at 1001, and the table says 1009/,
      );
      assert.match(
        (await ask({ agent: { extension: '1002', login: 'boris', slot: 8 } })).note ?? '',
        /not signed in now/,
      );
      assert.equal((await ask({ agent: { ...anna, slot: 8 } })).error?.code, 'FINESSE_PASSWORD');
      assert.equal((await ask({ agent: { ...anna, slot: 9 } })).error?.code, 'FINESSE_BAD_SETTINGS');
      assert.equal((await ask({ address: 'http://192.0.2.1' })).error?.code, 'FINESSE_BAD_SETTINGS');
      finesse.status = 'OUT_OF_SERVICE';
      const { error } = await ask({ agent: anna, lang: 'ru' });
      assert.match(error?.message ?? '', /не обслуживает/);
    });
  });
});
