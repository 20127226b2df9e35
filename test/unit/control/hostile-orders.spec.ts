import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseOrder } from '../../../lib/control/order';
import { targetOf } from '../../../lib/control/target';
import { CONTROL_ACTIONS } from '../../../lib/control/types';
import { TelephonyError } from '../../../lib/errors';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import { createGuard } from '../../../lib/outbound/guard';
import { numberingPlan } from '../../../lib/phone';
import { FakeClock } from '../../support/fake-clock';
import { hostileValue } from '../../support/hostile';

/** Every text in it, and every name. */
const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.entries(value).flat().flatMap(textsIn) : [];
};

describe('a hostile order for a live call', () => {
  const plan = numberingPlan({ country: 'RU' });
  const dialling = { settings: DEFAULT_DIALLING, guard: createGuard(DEFAULT_DIALLING, plan, new FakeClock()) };

  it('is refused with a code, or has fields of one line that nothing else can be read out of', () => {
    const fields = fc.dictionary(
      fc.constantFrom('callId', 'legId', 'extension', 'to', 'context', 'file', 'variables', 'action', '__proto__'),
      hostileValue,
    );
    const orders = fc.record({ action: fc.constantFrom(...CONTROL_ACTIONS), fields, to: hostileValue });
    fc.assert(
      fc.property(orders, ({ action, fields: hostile, to }) => {
        try {
          const order = parseOrder({ action, extension: '101', to, ...hostile });
          assert.deepEqual(
            textsIn(order).filter((text) => /[\r\n\0]/.test(text)),
            [],
          );
          if (order.to === undefined) return;
          const { exten, context } = targetOf(order.to, order.context, plan, dialling);
          assert.match(exten, /^\+?[0-9]{1,20}$/);
          assert.match(context, /^[\w.@+-]+$/);
        } catch (thrown) {
          assert.ok(thrown instanceof TelephonyError, String(thrown));
          assert.match(thrown.code, /^(?:CONTROL|OUTBOUND)_/);
          assert.ok(thrown.message.length < 1000);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('cannot set what the shipped dialplan or a shell reads', () => {
    for (const name of ['TELEPHONY_CRM_INTERNAL', '_TCRM_HELD_WITH', 'CRM_ROUTE_DIAL', 'MIXMON_POST'])
      assert.throws(() => parseOrder({ action: 'set', extension: '101', variables: { [name]: 'x' } }), {
        code: 'CONTROL_BAD_ORDER',
      });
  });

  it('passes the caps of calls like any other, whoever gives it', () => {
    const settings = { ...DEFAULT_DIALLING, perCaller: 1 };
    const guard = createGuard(settings, plan, new FakeClock());
    const to = (): void => targetOf('84951234567', undefined, plan, { settings, guard }).take('101');
    assert.ok(guard.take('101').free, 'a click of the same phone');
    assert.throws(to, { code: 'OUTBOUND_TOO_MANY_BY_CALLER' });
  });
});
