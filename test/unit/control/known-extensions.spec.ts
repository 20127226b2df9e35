import assert from 'node:assert/strict';
import { createCallControl } from '../../../lib/control/control';
import { parseOrder } from '../../../lib/control/order';
import type { TelephonyError } from '../../../lib/errors';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import { createGuard } from '../../../lib/outbound/guard';
import { numberingPlan } from '../../../lib/phone';
import type { Knowledge } from '../../../lib/presence/knows';
import { amiEvent } from '../../support/ami-messages';
import { FakeClock } from '../../support/fake-clock';
import { FakeClient, success } from '../dialer/support/fake-client';

const channel = (name: string, id: string) =>
  amiEvent('CoreShowChannel', {
    ...{ Channel: name, Uniqueid: id, Linkedid: '1.1', ChannelState: '6', BridgeId: 'b' },
    ...{ Application: 'AppDial', Context: 'from-internal', Exten: '101', Priority: '1', Duration: '00:00:10' },
  });

interface Office {
  readonly country?: string;
  readonly found?: Knowledge;
  readonly queues?: readonly string[];
}

/** What became of an order on a PBX whose dialplan sends everything out: `done`, or the code of the refusal. */
async function given(
  action: string,
  to: string,
  { country = 'RU', found = 'unknown', queues = [] }: Office = {},
): Promise<readonly [outcome: string, sent: readonly string[]]> {
  const plan = numberingPlan({ country });
  const client = new FakeClient();
  client.rows = () => [
    channel('PJSIP/provider-00000001', '1.1'),
    channel('PJSIP/101-00000002', '1.2'),
    ...queues.map((Queue) => amiEvent('QueueSummary', { Queue })),
  ];
  client.answers.set('Getvar', ({ headers }) =>
    success({ Value: String(headers?.Variable).startsWith('DIALPLAN_EXISTS') ? '1' : '' }),
  );
  const clock = new FakeClock();
  const guard = createGuard(DEFAULT_DIALLING, plan, clock, () => found === 'known');
  const dialling = { settings: DEFAULT_DIALLING, guard };
  const knows = (): Promise<Knowledge> => Promise.resolve(found);
  const control = createCallControl({ client, plan, dialling, trunks: ['provider'], knows }, { clock });
  const outcome = await control.run(parseOrder({ action, callId: '1.1', extension: '101', to })).then(
    () => 'done',
    (thrown: unknown) => (thrown as TelephonyError).code,
  );
  await control.close();
  const acts = ['BlindTransfer', 'Atxfer', 'Redirect', 'Park', 'Hangup', 'Bridge'];
  return [outcome, client.actions.filter((one) => acts.includes(one))];
}

describe('whom a call is sent to', () => {
  for (const action of ['transfer', 'attended-transfer', 'redirect', 'park']) {
    it(`is somebody: ${action} to an extension that nobody has leaves the call as it is`, async () => {
      for (const [country, to] of [
        ['GB', '9999'],
        ['GB', '118118'],
        ['DE', '11833'],
        ['RU', '9102'],
        ['RU', '199'],
      ] as const) {
        const [outcome, sent] = await given(action, to, { country });
        assert.match(outcome, /^(?:CONTROL_UNKNOWN_EXTENSION|OUTBOUND_\w+)$/, `${country} ${to}`);
        assert.deepEqual(sent, []);
      }
      assert.deepEqual(await given(action, '199'), ['CONTROL_UNKNOWN_EXTENSION', []]);
      assert.deepEqual(await given(action, '199', { found: 'not-yet' }), ['CONTROL_EXTENSIONS_NOT_READ', []]);
    });
  }

  it('may be a phone, a queue, or a number outside', async () => {
    assert.equal((await given('transfer', '102', { found: 'known' }))[0], 'done');
    assert.equal((await given('transfer', '902', { found: 'known' }))[0], 'done');
    assert.equal((await given('transfer', '400', { queues: ['400'] }))[0], 'done');
    assert.equal((await given('transfer', '84951343060'))[0], 'done');
  });
});
