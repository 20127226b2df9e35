import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isSettableValue } from '../../../lib/channel-variables';
import { crmKind } from '../../../lib/crm/kinds';
import { TelephonyError } from '../../../lib/errors';
import type { Delivered } from '../../../lib/crm/types';
import { QUEUE_TOPICS, type QueueCallPayload, type QueueMessage } from '../../../lib/messages/queues';
import { numberingPlan, parseNumber } from '../../../lib/phone';
import { FakeCrm, hugeBody, text as body, type Behaviour } from '../../support/fake-crm';
import { Desk } from './support/events';

const text = (said: string): Behaviour => body(said, 'text/plain; charset=utf-8');

type Settings = Readonly<Record<string, unknown>>;

const agentDial = (more: Partial<QueueCallPayload> = {}): QueueMessage => ({
  topic: 'agent-dial',
  payload: {
    eventId: 'Офис:1795201200.15:agent-dial:1',
    pbx: 'Офис',
    callId: '1795201200.15',
    at: '2026-11-20T19:00:00.250Z',
    direction: 'in',
    client: { number: '88124485378' },
    queue: { id: '500' },
    agent: { id: '3', phone: '101', name: 'Анна & Ко' },
    ...more,
  },
});

describe('scripts as in Линия24', () => {
  let crm: FakeCrm | undefined;
  let desk: Desk | undefined;

  async function open(behave: Behaviour, account: (origin: string) => Settings, token?: string): Promise<Desk> {
    desk?.close();
    await crm?.stop();
    crm = await new FakeCrm(behave).start();
    desk = new Desk('line24', account(crm.origin), token === undefined ? {} : { token });
    return desk;
  }
  const seen = () => crm!.requests.at(-1)!;
  const PATH = '/crm/client.php?aon=%callerid%&ochered=%queue_id%&who=%agent_name%&x=%call_info%';
  const byUrl =
    (path: string, more: Settings = {}) =>
    (origin: string): Settings => ({ url: origin + path, ...more });
  const answered = async (answer: string, settings: Settings = {}): Promise<Delivered> =>
    (await open(text(answer), byUrl(PATH))).deliver(agentDial(), settings);

  afterEach(async () => {
    desk?.close();
    await crm?.stop();
    desk = crm = undefined;
  });

  it('fills in the address with escaped values; what is not known is empty', async () => {
    await (await open(text(''), byUrl(PATH), 'secret-key')).deliver(agentDial());
    const who = encodeURIComponent('Анна & Ко');
    assert.equal(seen().url, `/crm/client.php?aon=88124485378&ochered=500&who=${who}&x=`);
    assert.deepEqual([seen().method, seen().body], ['GET', '']);
    assert.equal(seen().headers.authorization, 'Bearer secret-key');
  });

  it('sends the part behind the ? as a form by POST, and all that is known when there is none', async () => {
    await (await open(text(''), byUrl(PATH, { method: 'POST' }))).deliver(agentDial());
    assert.deepEqual([seen().method, seen().url], ['POST', '/crm/client.php']);
    assert.equal(new URLSearchParams(seen().body).get('who'), 'Анна & Ко');
    await (await open(text(''), byUrl('/events.php', { method: 'POST' }))).deliver(agentDial());
    const { event, callerid, agent_phone, queue_id, uniqueid } = Object.fromEntries(new URLSearchParams(seen().body));
    assert.deepEqual([event, callerid, agent_phone], ['agent-dial', '88124485378', '101']);
    assert.deepEqual([queue_id, uniqueid], ['500', '1795201200.15']);
    assert.ok(!seen().body.includes('talk_time'));
  });

  it('has a script of its own for an event, and none for what has no script', async () => {
    const scripts = [{ name: 'agent-dial', value: '/dial?c=%uniqueid%' }];
    const own = (origin: string) => ({ scripts: scripts.map(({ name, value }) => ({ name, value: origin + value })) });
    await (await open(text(''), own)).deliver(agentDial());
    assert.equal(seen().url, '/dial?c=1795201200.15');
    assert.deepEqual(await desk!.deliver({ ...agentDial(), topic: 'queue-dial' } as QueueMessage), {
      status: 'skipped',
    });
    assert.equal(crm!.requests.length, 1);
  });

  it('tells of an agent, too', async () => {
    const path = '/a?q=%queue_id%&phone=%agent_phone%&change=%change%&why=%reason%';
    const payload = {
      eventId: 'a',
      pbx: 'Офис',
      at: '2026-11-20T19:00:00Z',
      change: 'paused',
      extension: '101',
    } as const;
    const agent = { id: '3', phone: '101' };
    const state = { queues: ['500'], pausedIn: ['500'], busy: false };
    const event = { ...payload, agent, state, queue: { id: '500' }, reason: 'Обед' };
    await (await open(text(''), byUrl(path))).deliver({ topic: 'agent_change', payload: event });
    assert.equal(seen().url, `/a?q=500&phone=101&change=paused&why=${encodeURIComponent('Обед')}`);
  });

  it('tells the region of the client and its time, or nothing', async () => {
    await open(text(''), byUrl('/r?name=%region_name%&time=%region_time%'));
    const told = async (client: QueueCallPayload['client'], at: string): Promise<[string | null, string | null]> => {
      await desk!.deliver(agentDial({ at, ...(client ? { client } : {}) }));
      const { searchParams } = new URL(seen().url, 'http://crm');
      return [searchParams.get('name'), searchParams.get('time')];
    };
    const of = (region: { country: string; name?: string; timeZone?: string }) => ({ number: '84951343060', region });
    const moscow = of({ country: 'RU', name: 'Москва', timeZone: 'Europe/Moscow' });
    // Moscow has one time all the year round.
    assert.deepEqual(await told(moscow, '2026-01-20T21:05:00Z'), ['Москва', '00:05']);
    assert.deepEqual(await told(moscow, '2026-07-20T21:05:00Z'), ['Москва', '00:05']);
    assert.deepEqual(await told(of({ country: 'KZ', timeZone: 'Asia/Almaty' }), '2026-07-20T09:05:00Z'), ['', '14:05']);
    assert.deepEqual(await told(of({ country: 'RU' }), '2026-07-20T09:05:00Z'), ['', '']);
    assert.deepEqual(await told({ number: '84951343060' }, '2026-07-20T09:05:00Z'), ['', '']);
    assert.deepEqual(await told(of({ country: 'XX', timeZone: 'Mars/Base' }), '2026-07-20T09:05:00Z'), ['', '']);
    assert.deepEqual(await told(moscow, 'yesterday'), ['Москва', '']);
  });

  it('takes variables from the answer: plain or encoded, the usual ones', async () => {
    const plain = 'CALLERID(name)=ООО Ромашка+Ко&QUEUE_PRIO=10&call_info=VIP=да\n';
    const { variables } = (await answered(plain)) as Extract<Delivered, { status: 'delivered' }>;
    assert.deepEqual(variables, { 'CALLERID(name)': 'ООО Ромашка+Ко', QUEUE_PRIO: '10', call_info: 'VIP=да' });
    const encoded = new URLSearchParams({ 'CALLERID(name)': 'Иван Петров', agent_info: 'a&b' }).toString();
    const read = (await answered(encoded)) as Extract<Delivered, { status: 'delivered' }>;
    assert.deepEqual(read.variables, { 'CALLERID(name)': 'Иван Петров', agent_info: 'a&b' });
  });

  it('takes none that was not chosen, and none of several lines, too long or in an answer without end', async () => {
    const told = (await answered('QUEUE_PRIO=1&mine=2&SHELL(id)=3&__proto__=4', { variables: 'mine' })) as never;
    assert.deepEqual(told, {
      status: 'delivered',
      answer: 'QUEUE_PRIO=1&mine=2&SHELL(id)=3&__proto__=4',
      variables: { mine: '2' },
    });
    for (const bad of ['a\r\nAction: Originate', 'a\u0000b', 'x'.repeat(201)]) {
      const delivered = await answered(`call_info=${encodeURIComponent(bad)}&QUEUE_PRIO=5`);
      const { answer, variables } = delivered as { answer: { refused: string[] }; variables: unknown };
      assert.deepEqual([answer.refused, variables], [['call_info'], { QUEUE_PRIO: '5' }]);
    }
    const long = (await answered(`QUEUE_PRIO=5&x=${'y'.repeat(20_000)}`)) as { variables?: unknown };
    assert.equal(long.variables, undefined);
    assert.deepEqual(await answered('QUEUE_PRIO=5', { waitForAnswer: false }), {
      status: 'delivered',
      answer: 'QUEUE_PRIO=5',
    });
  });

  it('takes an event for told when its script answers more than anybody reads, and a question for unanswered', async () => {
    await open(hugeBody, (origin) => ({ url: origin + PATH, lookup: `${origin}/who?aon=%callerid%` }));
    const told = (await desk!.deliver(agentDial())) as Extract<Delivered, { status: 'delivered' }>;
    assert.deepEqual([told.status, told.variables], ['delivered', undefined]);
    assert.ok((told.answer as { refused: string[] }).refused.includes('QUEUE_PRIO'));
    assert.equal(crm!.requests.length, 1);
    const { adapter, context } = desk!;
    const phone = parseNumber('88124485378', numberingPlan({ country: 'RU' }));
    assert.ok(phone.kind === 'phone');
    await assert.rejects(adapter.findByPhone(phone, context), { code: 'CRM_TOO_LARGE' });
  });

  it('gives only settable lines, whatever a script answers', async () => {
    await open(text(''), byUrl(PATH));
    const part = fc.tuple(
      fc.constantFrom('CALLERID(name)', 'QUEUE_PRIO', 'x', '__proto__'),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        const said = parts
          .map(([name, value]) => `${name}=${value}`)
          .join('&')
          .replace(/\p{Surrogate}/gu, '');
        crm!.behave = text(said);
        const told = (await desk!.deliver(agentDial())) as { variables?: Readonly<Record<string, string>> };
        for (const [name, value] of Object.entries(told.variables ?? {})) {
          assert.match(name, /^(?:CALLERID\(name\)|QUEUE_PRIO)$/);
          assert.ok(isSettableValue(value));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('asks a script of a caller before he is queued', async () => {
    const lookup = (origin: string) => ({ lookup: `${origin}/who?aon=%callerid%&event=%event%` });
    const answer = text('CALLERID(name)=Иван Петров&QUEUE_PRIO=7&SECRET=1');
    const { adapter, context } = await open(answer, lookup);
    const phone = parseNumber('88124485378', numberingPlan({ country: 'RU' }));
    assert.ok(phone.kind === 'phone');
    const found = await adapter.findByPhone(phone, context);
    const variables = { 'CALLERID(name)': 'Иван Петров', QUEUE_PRIO: '7' };
    assert.deepEqual(found, { found: true, name: 'Иван Петров', entities: [], variables });
    assert.equal(seen().url, '/who?aon=78124485378&event=lookup');
    crm!.behave = text('');
    assert.deepEqual(await adapter.findByPhone(phone, context), { found: false });
  });

  it('refuses settings that cannot work', () => {
    const code = (settings: Settings): string => {
      try {
        crmKind('line24').create(settings, {}, {} as never);
      } catch (thrown) {
        assert.ok(thrown instanceof TelephonyError);
        return `${thrown.code} ${String(thrown.params.field)}`;
      }
      return 'fine';
    };
    assert.equal(code({}), 'CRM_BAD_SETTINGS url');
    assert.equal(code({ url: 'https://x.ru/?a=%nosuch%' }), 'CRM_BAD_SETTINGS url');
    assert.equal(code({ url: 'https://%callerid%.ru/' }), 'CRM_BAD_SETTINGS url');
    assert.equal(code({ url: 'ftp://x.ru/' }), 'CRM_BAD_SETTINGS url');
    assert.equal(code({ url: 'https://x.ru/', lookupVariables: 'SHELL(rm)' }), 'CRM_BAD_SETTINGS lookupVariables');
    assert.equal(code({ url: 'https://x.ru/', lookupVariables: 'TCRM_STEP' }), 'CRM_BAD_SETTINGS lookupVariables');
    assert.equal(code({ scripts: [{ name: 'nope', value: 'https://x.ru/' }] }), 'CRM_BAD_SETTINGS scripts');
    assert.equal(code({ url: 'https://x.ru/%d0%ab%20?a=%callerid%' }), 'fine');
    assert.deepEqual(
      crmKind('line24').topics?.map(({ topic }) => topic),
      QUEUE_TOPICS,
    );
  });
});
