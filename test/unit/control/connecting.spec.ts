import assert from 'node:assert/strict';
import { createCallControl } from '../../../lib/control/control';
import { parseOrder } from '../../../lib/control/order';
import { FakeClock } from '../../support/fake-clock';
import { CLIENT, lookingAt, PHONE, type Look } from './support/looks';
import { FakeGuard, plan, settings } from './support/office';

const ANSWERED: Look = { [CLIENT]: '', [PHONE]: '' };

describe('an order in the moment of the answer', () => {
  async function transferred(...looks: readonly Look[]): Promise<readonly string[]> {
    const { client, done } = lookingAt(...looks);
    const dialling = { settings, guard: new FakeGuard() };
    const clock = new FakeClock();
    const control = createCallControl({ client, plan, dialling, knows: () => Promise.resolve('known') }, { clock });
    const outcome = control.run(parseOrder({ action: 'transfer', extension: '101', to: '105' })).then(
      () => done,
      (thrown: unknown) => [...done, (thrown as Error).message],
    );
    await clock.advanceAsync(5000);
    return outcome;
  }

  it('is carried out when the phone is connected', async () => {
    const connected = { [CLIENT]: 'a', [PHONE]: 'a' };
    assert.deepEqual(await transferred(ANSWERED, ANSWERED, connected), ['BlindTransfer 105 from-internal']);
  });

  it('is refused when that takes long', async () => {
    const [refusal] = await transferred(ANSWERED);
    assert.match(refusal ?? '', /talks with nobody/);
  });
});
