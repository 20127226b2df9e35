import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RequestReader } from '../../../lib/simulator/ami/request';
import { limits } from '../../../lib/simulator/defaults';
import type { TelephonyError } from '../../../lib/errors';
import { until } from '../../support/wait';
import { Office } from './support/office';
import { recording } from './support/recording';

describe('simulator: bounds', () => {
  let office: Office;

  beforeEach(async () => {
    office = await Office.open();
  });
  afterEach(() => office.close());

  it('refuses long lines and too many headers as recorded, and stays open', async () => {
    const client = await office.login({ Events: 'off' });
    const long = `Big: ${'b'.repeat(1095)}`;
    client.write('Action: UserEvent', 'ActionID: 2', 'UserEvent: x', long);
    client.write('Action: UserEvent', 'UserEvent: x', long, 'ActionID: 3');
    const many = Array.from({ length: 130 }, (_, index) => `H${index}: v`);
    client.write('Action: UserEvent', 'ActionID: 4', 'UserEvent: x', ...many);
    client.write('Action: Ping', 'ActionID: 5');
    await until(() => client.messages.length === 5, 'five answers');
    const answers = (messages: typeof client.messages) =>
      messages.map((message) => [message.get('ActionID'), message.get('Response'), message.get('Message')]);
    assert.deepEqual(answers(client.messages).slice(1), answers(recording('line-too-long')).slice(1));
  });

  it('reads the same requests however the bytes are cut, and at any line end', () => {
    const word = fc
      .stringMatching(/^[a-zA-Zа-я"\\ ]{1,20}$/)
      .map((text) => text.trim())
      .filter((text) => text !== '');
    const request = fc.array(fc.tuple(fc.stringMatching(/^[A-Z][a-z]{0,8}$/), word), { minLength: 1, maxLength: 10 });
    const lineEnd = fc.constantFrom('\r\n', '\n');
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 4 }),
        lineEnd,
        fc.array(fc.integer({ min: 1, max: 30 })),
        (requests, end, cuts) => {
          const text = requests.map(
            (headers) => headers.map(([name, value]) => `${name}: ${value}${end}`).join('') + end,
          );
          const bytes = Buffer.from(text.join(''));
          const reader = new RequestReader();
          const read: (readonly (readonly [string, string])[])[] = [];
          const drain = (): void => {
            for (let next = reader.next(); next; next = reader.next()) read.push(next.headers);
          };
          let at = 0;
          for (const cut of cuts) {
            reader.push(bytes.subarray(at, at + cut));
            drain();
            at += cut;
          }
          reader.push(bytes.subarray(at));
          drain();
          assert.deepEqual(read, requests);
        },
      ),
    );
  });

  it('keeps at most one line of an endless one', () => {
    const reader = new RequestReader();
    for (let count = 0; count < 1000; count++) {
      reader.push(Buffer.alloc(10_000, 'x'));
      assert.equal(reader.next(), undefined);
    }
    reader.push(Buffer.from('\r\nActionID: 1\r\n\r\n'));
    const request = reader.next();
    assert.equal(request?.fault, 'Failed to parse message: line too long');
    assert.equal(request.get('ActionID'), '1');
  });

  it('closes a connection over the limit at once, and takes a new one when one has gone', async () => {
    const first = await office.connect();
    for (let count = 1; count < limits.sessions; count++) await office.connect();
    const oneMore = await office.connect().catch(() => undefined);
    if (oneMore) await oneMore.waitClosed();
    assert.equal(office.warnings.length, 1);
    first.socket.destroy();
    await until(async () => (await office.connect()).greeting !== '', 'room for one more');
  });

  it('closes the session of a client that does not read, and serves the others', async () => {
    const sleeper = await office.login();
    sleeper.socket.pause();
    const writer = await office.login({ Events: 'off' });
    const text = 'x'.repeat(900);
    const flood = async (): Promise<void> => {
      for (let count = 0; count < 200; count++) writer.write('Action: UserEvent', 'UserEvent: Flood', `Text: ${text}`);
      await writer.caughtUp();
    };
    while (office.warnings.length === 0) await flood();
    assert.match(office.warnings.join(), /does not read/);
    await writer.caughtUp();
  });

  it('takes only so many calls at once, and says so', async () => {
    await office.close();
    office = await Office.open({ routeMs: 100 });
    await office.login({ Events: 'agi' });
    const call = { from: '79261112233', did: '74951000101' };
    const calls = Array.from({ length: limits.calls }, () => office.simulator.call(call));
    await assert.rejects(office.simulator.call(call), (thrown: TelephonyError) => {
      assert.equal(thrown.code, 'SIMULATOR_TOO_MANY_CALLS');
      return thrown.textIn('ru').includes(String(limits.calls));
    });
    const outcomes = await office.play(Promise.all(calls));
    assert.equal(outcomes.length, limits.calls);
    assert.equal((await office.play(office.simulator.call(call))).why, 'no-answer-in-time');
  });

  it('counts a call that broke off no longer', async () => {
    const call = { from: '79261112233', did: '74951000101' };
    const now = office.clock.now.bind(office.clock);
    office.clock.now = () => {
      throw new RangeError('a broken clock');
    };
    for (let count = 0; count <= limits.calls; count++) await assert.rejects(office.simulator.call(call), RangeError);
    office.clock.now = now;
    assert.equal((await office.play(office.simulator.call(call))).from, call.from);
  });

  it('refuses a call whose texts would break the messages', async () => {
    for (const call of [
      { from: '', did: '1' },
      { from: '1\r\nEvent: Hangup', did: '1' },
      { from: '1', did: '1', name: 'x\u0000' },
      { from: '1', did: '9'.repeat(81) },
    ]) {
      await assert.rejects(office.simulator.call(call), { code: 'SIMULATOR_BAD_CALL' });
    }
  });
});
