import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PbxMessage, RecordPayload } from '../../../lib/messages/types';
import { readPlan } from '../../../lib/replay/plan';
import { Replay } from '../../../lib/replay/replay';
import { TraceReader } from '../../../lib/replay/trace-reader';

const root = join(__dirname, '..', '..', '..');
const fixture = (name: string): string => join(root, 'test', 'fixtures', 'ami', `${name}.txt`);
const load = (name: string): Buffer => readFileSync(fixture(name));

function replayed(bytes: Buffer, size = bytes.length): PbxMessage[] {
  const [trace, replay] = [new TraceReader(), new Replay(readPlan(''))];
  const told: PbxMessage[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const message of trace.push(bytes.subarray(at, at + size))) told.push(...replay.apply(message));
  }
  for (const message of trace.end()) told.push(...replay.apply(message));
  return [...told, ...replay.end()];
}
const topics = (messages: readonly PbxMessage[]): string[] =>
  messages.filter(({ topic }) => topic !== 'user_change').map(({ topic }) => topic);

describe('a replayed trace', () => {
  it('gives what the tracker makes of it, with the record at the end', () => {
    const told = replayed(load('inbound-answered-caller-hangs-up'));
    assert.deepEqual(topics(told), ['call_ringing', 'call_answer', 'call_hangup', 'call_record']);
    const { client, result } = told.at(-1)?.payload as RecordPayload;
    assert.deepEqual([client?.name, result], ['Иван Петров', 'answered']);
  });

  it('is the same in pieces of any size, without CRs, with a byte order mark, without time stamps', () => {
    const bytes = load('transfer-blind-refer');
    const whole = replayed(bytes);
    for (const size of [1, 7, 1000]) assert.deepEqual(replayed(bytes, size), whole, String(size));
    const text = bytes.toString('utf8');
    assert.deepEqual(topics(replayed(Buffer.from(text.replaceAll('\r\n', '\n')))), topics(whole));
    assert.deepEqual(replayed(Buffer.from(`\uFEFF${text}`)), whole);
    assert.deepEqual(topics(replayed(Buffer.from(text.replace(/Timestamp: .*\r\n/g, '')))), topics(whole));
  });

  it('tells the states of extensions, once for each change', () => {
    const told = replayed(load('registration-and-states')).filter(({ topic }) => topic === 'user_change');
    const states = told.map(({ payload }) => payload as { extension: string; state: string });
    assert.deepEqual(
      states.map(({ extension, state }) => `${extension} ${state}`),
      ['102 offline', '102 idle'],
    );
  });

  it('takes comments in the middle for comments, and answers for no events', () => {
    const text = load('inbound-busy')
      .toString('utf8')
      .replace('\r\n\r\nEvent: Hangup', '\r\n\r\n; the link is ready\nEvent: Hangup');
    assert.equal(topics(replayed(Buffer.from(text))).at(-1), 'call_record');
    assert.deepEqual(topics(replayed(load('command-and-getvar'))), []);
  });

  it('takes up the calls of a list of channels, and is not misled by one of calls it knows', () => {
    const whole = load('lists');
    assert.deepEqual(topics(replayed(whole)), ['call_ringing', 'call_answer', 'call_hangup', 'call_record']);
    const told = replayed(whole.subarray(whole.indexOf('Response: Success')));
    assert.deepEqual(topics(told).slice(-2), ['call_hangup', 'call_record']);
    const { direction, client, talked, reconciled, startedAt } = told.at(-1)?.payload as RecordPayload;
    assert.deepEqual([direction, client?.number, talked, reconciled], ['in', '79261112233', ['101'], true]);
    assert.match(startedAt, /^2026-11-20T19:40:5/);
  });

  it('leaves out what no Asterisk sends, as the link does', () => {
    const forged = 'Event: Hangup\r\nUniqueid: 1795203509.6\r\nLinkedid: 1795203509.6\r\nCause: 16\r\n\r\n';
    const text = load('inbound-busy').toString('utf8').replace('Event: DialBegin', `${forged}Event: DialBegin`);
    assert.deepEqual(replayed(Buffer.from(text)), replayed(load('inbound-busy')));
  });

  it('takes a time stamp that is none for none', () => {
    const text = load('inbound-busy').toString('utf8');
    for (const stamp of ['1e300', 'Infinity', '-5', 'noon', '']) {
      const told = replayed(Buffer.from(text.replace(/Timestamp: .*\r\n/g, `Timestamp: ${stamp}\r\n`)));
      assert.deepEqual(topics(told), topics(replayed(Buffer.from(text))), stamp);
    }
  });

  it('knows when it is none', () => {
    for (const text of ['', 'hello', '{"a": 1}', '; only a comment\n', '\r\n\r\n'.repeat(100)]) {
      const trace = new TraceReader();
      trace.push(Buffer.from(text));
      trace.end();
      assert.equal(trace.isTrace, false, text);
    }
    const endless = new TraceReader();
    assert.throws(() => {
      for (let piece = 0; piece < 40; piece += 1) endless.push(Buffer.alloc(1024 * 1024, 'x'));
    }, RangeError);
  });
});

describe('a plan for a replay', () => {
  it('has the defaults of ami-config, and takes names as people write them', () => {
    const { plan, name } = readPlan('');
    assert.deepEqual([name, plan.trunks, plan.numbers.isExtension('101')], ['replay', [], true]);
    const own = readPlan(
      'f',
      '{"name":"o","country":"DE","extensions":"2XX","trunks":"PJSIP/provider","variables":["A"]}',
    );
    assert.deepEqual([own.name, own.plan.trunks, own.variables], ['o', ['provider'], ['A']]);
    assert.equal(own.plan.numbers.isExtension('101'), false);
  });

  it('says what is wrong with it', () => {
    for (const text of ['{', '[]', '7', '{"trunk":["a"]}', '{"trunks":[1]}', '{"country":7}', '{"country":"Mars"}']) {
      assert.throws(() => readPlan('plan.json', text), /plan\.json cannot be used/, text);
    }
  });
});

describe('telephony-crm-replay', () => {
  const main = join(root, 'lib', 'replay', 'main.ts');
  const runIn = (locale: Readonly<Record<string, string>>, ...args: string[]) =>
    spawnSync(process.execPath, ['--require', 'tsx/cjs', main, ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: '', LC_MESSAGES: '', ...locale },
    });
  const run = (...args: string[]) => runIn({ LANG: 'en_US.UTF-8' }, ...args);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'replay-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('prints one JSON object a line', () => {
    const { stdout, status } = run(fixture('inbound-ring-group'));
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PbxMessage);
    assert.equal(status, 0);
    assert.equal(lines.at(-1)?.topic, 'call_record');
    assert.ok(lines.every(({ payload }) => typeof payload.eventId === 'string'));
  });

  it('prints the records alone, with a plan of the admin', () => {
    const plan = join(folder, 'plan.json');
    writeFileSync(plan, '{"name":"office","trunks":["trunk"],"variables":["CRM_ID"]}');
    const { stdout, status } = run('--records', '--plan', plan, fixture('outbound-busy'));
    const [record, ...more] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RecordPayload);
    assert.deepEqual([status, more.length, record?.pbx, record?.result], [0, 0, 'office', 'busy']);
  });

  it('ends with status 2 and says why', () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '[]');
    for (const [args, words] of [
      [[join(root, 'package.json')], /is not an AMI trace/],
      [[join(folder, 'missing.txt')], /cannot be read \(ENOENT\)/],
      [[folder], /cannot be read \(EISDIR\)/],
      [['--plan', bad, fixture('inbound-busy')], /plan in .*bad\.json cannot be used/],
      [['--nonsense'], /--nonsense[^]*--records {5}print/],
      [['--plan'], /--plan[^]*--records {5}print/],
      [[], /Give one FILE[^]*--records {5}print/],
    ] as const) {
      const { stderr, stdout, status } = run(...args);
      assert.deepEqual([status, stdout], [2, ''], args.join(' '));
      assert.match(stderr, words);
    }
  });

  it('speaks the language of the one who asks', () => {
    const plan = join(folder, 'mars.json');
    writeFileSync(plan, '{"country":"Mars"}');
    for (const locale of [{ LANG: 'ru_RU.UTF-8' }, { LC_ALL: 'ru', LANG: 'en_US.UTF-8' }]) {
      assert.match(runIn(locale, join(folder, 'missing.txt')).stderr, /не читается \(ENOENT\)\. Проверьте путь/);
    }
    const { stderr } = runIn({ LANG: 'ru_RU.UTF-8' }, '--plan', plan, fixture('inbound-busy'));
    assert.match(stderr, /План из .*mars\.json не подходит: .*[а-я]{4}/);
    assert.doesNotMatch(stderr, /country|cannot/i);
    assert.match(runIn({ LC_ALL: 'C', LANG: 'ru_RU.UTF-8' }).stderr, /Give one FILE/);
  });

  it('explains itself', () => {
    const { stdout, status } = run('--help');
    assert.equal(status, 0);
    for (const word of ['--records', '--plan', 'trunkContexts']) assert.ok(stdout.includes(word), word);
  });
});
