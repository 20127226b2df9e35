import assert from 'node:assert/strict';
import { whoseChannels } from '../../lib/phone/interfaces';
import { currentCall } from '../../lib/control/current-call';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type Pbx } from '../../lib/pbx/pbx';
import { until } from '../support/wait';
import { describeAsterisk } from './support/roots';
import { TestBed } from './support/test-bed';

/** Rings 101. */
const DIRECT = '74951000101';

describeAsterisk('who sits where', (version) => {
  let bed: TestBed;
  let pbx: Pbx;

  before(async () => {
    bed = await TestBed.start({ version });
    pbx = createPbx({
      name: 'office',
      plan: numberingPlan({ country: 'RU' }),
      connection: {
        kind: 'asterisk',
        driver: 'built-in',
        // The least that routing needs anyway: no class `system`.
        client: { host: '127.0.0.1', port: bed.asterisk.amiPort, username: 'crm-min', secret: 'crm-min-secret' },
      },
    });
    pbx.open();
    await until(() => pbx.client.state.phase === 'ready', 'the link');
  });
  after(async () => {
    await pbx.close();
    await bed.stop();
  });

  it('finds the phones that are registered from an address, without the class system', async () => {
    assert.deepEqual([...(await pbx.whoIsAt('127.0.0.1'))].sort(), ['101', '102']);
    assert.deepEqual(await pbx.whoIsAt('127.0.0.2'), []);
  });

  it('finds the call on a phone, and the channel of the client in it', async () => {
    await bed.reset();
    const whose = whoseChannels(pbx.dialling.settings.agentChannel, pbx.plan, pbx.trunks);
    assert.equal(await currentCall(pbx.client, whose, '101'), undefined);
    const { phone } = await bed.route(DIRECT);
    const found = await currentCall(pbx.client, whose, phone);
    assert.ok(found);
    assert.match(found.number, /4951343060$/);
    const channel = await pbx.client.action({
      action: 'Getvar',
      headers: { Channel: found.legId, Variable: 'CHANNEL(name)' },
    });
    assert.match(channel.get('Value') ?? '', /^PJSIP\/provider-/);
    await bed.hangUpAll();
  });
});
