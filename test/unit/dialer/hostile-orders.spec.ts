import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeAction, toWire } from '../../../lib/ami/encode';
import { playbackScript } from '../../../lib/dialer/autocall/script';
import { objectionTo, originateFor } from '../../../lib/dialer/line/originate';
import { dialledNumbers, readOrder, type OrderNeeds, type OrderSettings } from '../../../lib/dialer/order';
import type { Order } from '../../../lib/dialer/types';
import { TelephonyError } from '../../../lib/errors';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import { createGuard } from '../../../lib/outbound/guard';
import { numberingPlan } from '../../../lib/phone';
import { FakeClock } from '../../support/fake-clock';
import { hostileValue } from '../../support/hostile';

const plan = numberingPlan({ country: 'RU' });
const needs: OrderNeeds = {
  plan,
  now: 0,
  isKnown: () => Promise.resolve('known'),
  timeZonesOf: () => ['Europe/Moscow'],
  usualEnd: () => 1000,
  extensionOf: () => '101',
  extensionsAt: () => Promise.resolve(['101']),
};
const click: OrderSettings = {
  mode: 'click',
  tries: 1,
  periodMs: 0,
  variables: {},
  files: ['usual'],
  detectMachine: false,
  triesOf: {},
  ringMs: 30_000,
  to: { context: 'office', exten: '100', priority: 1 },
};
const modes = [click, { ...click, mode: 'autocall' }, { ...click, mode: 'plain' }] as const;

/** What an Originate of ours may say beside its variables, and what it can never be made to say. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  Action: /^Originate$/,
  ActionID: /^1$/,
  Channel: /^[A-Za-z][A-Za-z0-9]+\/[A-Za-z0-9_+.:@*#/-]+$/,
  Context: /^[\w.-]+$/,
  Exten: /^[\w*#+.-]+$/,
  Priority: /^1$/,
  Application: /^(?:Dial|Playback)$/,
  Data: /^[\w+@/&,-]+$/,
  CallerID: /^(?:"[^"\\<>]*" )?<[0-9A-Za-z+]*>$/,
  Timeout: /^\d+$/,
  Async: /^true$/,
  ChannelId: /^tcrm-1-1$/,
};

/** Reads the bytes as Asterisk does: one action, ended by the one empty line. */
function assertOneAction(wire: string): void {
  const bytes = Buffer.from(wire).toString();
  assert.equal(bytes.indexOf('\r\n\r\n'), bytes.length - 4, 'one action');
  assert.doesNotMatch(bytes, /[^\r]\n|\r[^\n]|\0/);
  for (const line of bytes.trimEnd().split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]*): ?([^]*)$/.exec(line) ?? assert.fail(line);
    if (name !== 'Variable') {
      assert.match(value, HEADERS[name] ?? assert.fail(`a header of its own: ${name}`), name);
      continue;
    }
    const [, variable = '', text = ''] = /^([^=]+)=([^]*)$/.exec(value) ?? assert.fail(line);
    assert.match(
      variable,
      /^_{0,2}\w+$|^(?:CALLERID\(num\)|CALLERID\(name\)|CONNECTEDLINE\(num\)|CHANNEL\(language\))$/,
    );
    // Bare, or in quotes out of which nothing leads: a comma outside would begin the next variable.
    assert.match(text, /^(?:[^",\\]*|"(?:[^"\\]|\\["\\])*")$/);
  }
}

const names = [
  'number',
  'extension',
  'user',
  'ip',
  'by',
  'key',
  'priority',
  'expiresInSeconds',
  'timeZone',
  'callerId',
];
const more = ['variables', 'data', 'files', 'language', 'prompt', 'detectMachine', 'channel', 'context', 'exten'];

/** Most fields right, so that those that are not come as far as they can. */
const usual: Readonly<Record<string, unknown>> = {
  number: '84951234567',
  extension: '101',
  channel: 'PJSIP/101',
};
const payloads = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...names, ...more, '__proto__', 'mode', 'application'), hostileValue, { maxKeys: 2 }),
    fc.option(fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('A', 'CRM_ID', '__proto__')), hostileValue)),
    fc.option(fc.record({ number: hostileValue, name: hostileValue })),
  )
  .map(([fields, variables, callerId]) => ({
    ...usual,
    ...(variables ? { variables } : {}),
    ...(callerId ? { callerId } : {}),
    ...fields,
  }));

describe('a hostile order', () => {
  const dialling = { settings: { ...DEFAULT_DIALLING, channels: [{ prefix: '', channel: 'PJSIP/{number}@trunk' }] } };
  const guard = createGuard(dialling.settings, plan, new FakeClock());
  let sent = 0;

  async function order(payload: unknown, settings: OrderSettings): Promise<void> {
    let read: Order;
    try {
      read = await readOrder(payload, settings, needs);
    } catch (thrown) {
      assert.ok(thrown instanceof TelephonyError && thrown.code.startsWith('ORDER_'), String(thrown));
      assert.ok(thrown.message.length < 1000 && thrown.textIn('ru').length < 1000);
      return;
    }
    const line = { plan, dialling, script: playbackScript() };
    const isRefused = dialledNumbers(read, plan).some((target) => guard.objection(target)) || objectionTo(read, line);
    if (isRefused) return;
    const stored = JSON.parse(JSON.stringify(read)) as Order;
    const attempt = { orderId: 1, try: 1, channelId: 'tcrm-1-1', startedAt: 0, dialBefore: 1000, order: stored };
    assertOneAction(toWire(encodeAction(originateFor(attempt, line, 1000), '1')));
    sent += 1;
  }

  it('is one Originate without a word of its own, or is refused with a code', async () => {
    for (const settings of modes) {
      await fc.assert(
        fc.asyncProperty(payloads, (payload) => order(payload, settings)),
        { numRuns: 700 },
      );
    }
    assert.ok(sent > 20, 'enough of them came through to be looked at');
  });

  it('is refused when it is no object at all', async () => {
    await fc.assert(fc.asyncProperty(hostileValue, (payload) => order(payload, click)));
  });

  it('cannot set what the shipped dialplan or a shell reads', async () => {
    for (const name of [
      'TELEPHONY_CRM_INTERNAL',
      '__telephony_crm_usual',
      'CRM_ROUTE_NUMBER',
      'TCRM_EXPIRES',
      'MONITOR_EXEC',
    ])
      await assert.rejects(
        readOrder({ ...usual, variables: { [name]: 'x' } }, click, needs),
        { code: 'ORDER_BAD' },
        name,
      );
    await readOrder({ ...usual, variables: { CRM_ID: 'x', TCRMX: 'y' } }, click, needs);
  });
});
