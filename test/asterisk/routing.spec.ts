import assert from 'node:assert/strict';
import { FakeCrm, json, silence, type Behaviour } from '../support/fake-crm';
import { until } from '../support/wait';
import { startRouting, type PackInNodeRed } from './support/pack-in-node-red';
import { describeAsterisk } from './support/roots';
import { DID, TestBed } from './support/test-bed';

/** Who calls; the CRM knows the first three. */
const CLIENTS: Readonly<Record<string, { name: string; owner: string }>> = {
  '74951343060': { name: 'Иванов Пётр', owner: '1' },
  '74951343061': { name: 'ООО «Ромашка», (Юг) & Ко', owner: '1' },
  '74951343062': { name: 'Сидорова Анна', owner: '2' },
};
const KNOWN = '+74951343060';
const COMPANY = '+74951343061';
const OF_THE_SECOND = '+74951343062';
const STRANGER = '+74951343099';

const knows: Behaviour = (request, response) => {
  const digits = new URL(request.url, 'http://crm').searchParams.get('phone') ?? '';
  json(CLIENTS[digits] ?? {})(request, response);
};

describeAsterisk('routing to the responsible person', (version) => {
  let bed: TestBed;
  let crm: FakeCrm;
  let nodeRed: PackInNodeRed;

  before(async () => {
    crm = await new FakeCrm(knows).start();
    bed = await TestBed.start({ version, globals: { TELEPHONY_CRM_USUAL: 'ivr-1,s,1' } });
    nodeRed = await startRouting({ amiPort: bed.asterisk.amiPort, crm: crm.origin });
    for (const name of ['TELEPHONY_CRM_URL', 'ITGRIX_URL'])
      await bed.asterisk.setGlobal(name, `${nodeRed.url}/forward`);
  });
  after(async () => {
    await bed.stop();
    await nodeRed.stop();
    await crm.stop();
  });
  beforeEach(async () => {
    crm.behave = knows;
    crm.requests.length = 0;
    await bed.reset();
    await nodeRed.redeploy();
    await forwardsTo(KNOWN, '101');
  });
  afterEach(() => bed.hangUpAll());

  const startFlow = async () => {
    nodeRed = await startRouting({ amiPort: bed.asterisk.amiPort, crm: crm.origin });
    await tellTheDialplan();
  };
  const tellTheDialplan = async () => {
    for (const name of ['TELEPHONY_CRM_URL', 'ITGRIX_URL'])
      await bed.asterisk.setGlobal(name, `${nodeRed.url}/forward`);
  };
  const isAsking = async () => (await bed.asterisk.cli('core show channels concise')).includes('!AGI!');

  /** Waits until the flow sends a caller there; an empty extension means the usual way. */
  async function forwardsTo(phone: string, extension: string): Promise<void> {
    let answer = '';
    try {
      await until(
        async () => {
          answer = await (await fetch(`${nodeRed.url}/forward?phone=${encodeURIComponent(phone)}`)).text();
          return new URLSearchParams(answer).get('number') === extension;
        },
        `the flow to send ${phone} to "${extension}"`,
        20_000,
      );
    } catch (error) {
      throw new Error(`${String(error)}; it says ${answer}\n${nodeRed.log()}`, { cause: error });
    }
  }

  for (const [how, did] of [
    ['over CURL', DID.overHttp],
    ['over AsyncAGI', DID.overAgi],
    ["by Itgrix's own dialplan", DID.itgrix],
  ] as const) {
    describe(how, () => {
      it('calls the responsible person, who sees the name', async () => {
        const { phone, callerName, callerNumber } = await bed.route(did, { fromNumber: KNOWN });
        assert.deepEqual(
          { phone, callerName, callerNumber },
          { phone: '101', callerName: 'Иванов Пётр', callerNumber: KNOWN },
        );
      });

      it('shows a name with signs that mean something to a dialplan', async () => {
        const { phone, callerName } = await bed.route(did, { fromNumber: COMPANY });
        assert.deepEqual({ phone, callerName }, { phone: '101', callerName: 'ООО «Ромашка», (Юг) & Ко' });
      });

      it('calls the substitute when the phone of the responsible person is not registered', async () => {
        await bed.phones['101'].unregister();
        await forwardsTo(KNOWN, '102');
        const { phone, callerName } = await bed.route(did, { fromNumber: KNOWN });
        assert.deepEqual({ phone, callerName }, { phone: '102', callerName: 'Иванов Пётр' });
        assert.deepEqual(bed.phones['101'].received, []);
      });

      it('calls the substitute while the responsible person talks', async () => {
        const other = await bed.route(did, { fromNumber: KNOWN });
        assert.equal(other.phone, '101');
        await forwardsTo(KNOWN, '102');
        const second = bed.call(did, { fromNumber: COMPANY });
        await second.answered;
        assert.equal(bed.phones['102'].received.length, 1);
      });

      it('goes the usual way when the responsible person is away and has no substitute', async () => {
        await bed.phones['102'].unregister();
        await forwardsTo(OF_THE_SECOND, '');
        const { phone, callerName } = await bed.route(did, { fromNumber: OF_THE_SECOND });
        assert.deepEqual({ phone, callerName }, { phone: 'ivr', callerName: 'Сидорова Анна' });
      });

      it('goes the usual way when the CRM does not know the caller, or there is no number', async () => {
        for (const fromNumber of [STRANGER, 'anonymous']) {
          assert.equal((await bed.route(did, { fromNumber })).phone, 'ivr');
          await bed.hangUpAll();
        }
      });

      it('goes the usual way when the CRM is down', async () => {
        crm.behave = (_request, response) => void response.socket?.destroy();
        const { phone, afterMs } = await bed.route(did, { fromNumber: OF_THE_SECOND });
        assert.equal(phone, 'ivr');
        assert.ok(afterMs < 4500, `${afterMs} ms`);
      });

      it('goes the usual way when the CRM takes half a minute, within the deadline of the flow', async () => {
        crm.behave = silence;
        const { phone, afterMs } = await bed.route(did, { fromNumber: OF_THE_SECOND });
        assert.equal(phone, 'ivr');
        assert.ok(afterMs < 4500, `${afterMs} ms: the dialplan gave up before the flow did`);
      });
    });
  }

  it('works again after Asterisk was killed in the middle of a call and came back', async () => {
    await bed.route(DID.overAgi, { fromNumber: KNOWN });
    await bed.asterisk.restart();
    for (const name of ['TELEPHONY_CRM_URL', 'ITGRIX_URL'])
      await bed.asterisk.setGlobal(name, `${nodeRed.url}/forward`);
    await bed.reset();
    await forwardsTo(KNOWN, '101');
    for (const did of [DID.overHttp, DID.overAgi]) {
      const { phone, callerName } = await bed.route(did, { fromNumber: KNOWN });
      assert.deepEqual({ phone, callerName }, { phone: '101', callerName: 'Иванов Пётр' });
      await bed.hangUpAll();
    }
  });

  it('answers a call that was waiting before Node-RED came', async () => {
    await nodeRed.stop();
    await bed.asterisk.setGlobal('TELEPHONY_CRM_WAIT', '60');
    const routed = bed.route(DID.overAgi, { fromNumber: KNOWN });
    try {
      await until(isAsking, 'the call to wait');
    } finally {
      await startFlow();
      await bed.asterisk.setGlobal('TELEPHONY_CRM_WAIT', '5');
    }
    assert.equal((await routed).phone, '101');
  });

  it('lets a waiting call go its usual way when the flow is deployed anew', async () => {
    crm.behave = silence;
    await bed.asterisk.setGlobal('TELEPHONY_CRM_WAIT', '60');
    const routed = bed.route(DID.overAgi, { fromNumber: OF_THE_SECOND });
    await until(() => crm.requests.some(({ url }) => OF_THE_SECOND.endsWith(url.slice(-11))), 'the CRM to be asked');
    await nodeRed.redeploy();
    await bed.asterisk.setGlobal('TELEPHONY_CRM_WAIT', '5');
    const { phone, afterMs } = await routed;
    assert.equal(phone, 'ivr');
    assert.ok(afterMs < 10_000, `${afterMs} ms`);
  });

  it('goes the usual way when Node-RED is not there at all', async () => {
    await nodeRed.stop();
    try {
      for (const did of [DID.overHttp, DID.overAgi, DID.itgrix]) {
        const { phone, afterMs } = await bed.route(did, { fromNumber: KNOWN });
        assert.equal(phone, 'ivr');
        assert.ok(afterMs < 8000, `${afterMs} ms`);
        await bed.hangUpAll();
      }
    } finally {
      nodeRed = await startRouting({ amiPort: bed.asterisk.amiPort, crm: crm.origin });
      for (const name of ['TELEPHONY_CRM_URL', 'ITGRIX_URL'])
        await bed.asterisk.setGlobal(name, `${nodeRed.url}/forward`);
    }
  });
});
