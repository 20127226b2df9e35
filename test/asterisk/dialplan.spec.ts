import assert from 'node:assert/strict';
import { FakeCrm, silence, text } from '../support/fake-crm';
import { until } from '../support/wait';
import { createAmiClient } from '../../lib/ami';
import { itgrix } from '../../lib/protocols/itgrix';
import { ready } from '../support/ami-conformance';
import { describeAsterisk } from './support/roots';
import { DID, TestBed } from './support/test-bed';

/** How long the dialplan waits, in seconds; short, so that the tests of time-outs are quick. */
const WAIT_S = 2;
const RING_S = 2;

const route = (number: string, name: string) =>
  text(`number=${encodeURIComponent(number)}&name=${encodeURIComponent(name)}`, 'text/plain; charset=utf-8');

describeAsterisk('extensions_telephony_crm.conf', (version) => {
  let bed: TestBed;
  let nodeRed: FakeCrm;

  before(async () => {
    nodeRed = await new FakeCrm(silence).start();
    bed = await TestBed.start({
      version,
      globals: {
        TELEPHONY_CRM_USUAL: 'ivr-1,s,1',
        TELEPHONY_CRM_URL: `${nodeRed.origin}/forward`,
        TELEPHONY_CRM_WAIT: String(WAIT_S),
        TELEPHONY_CRM_RING: String(RING_S),
        ITGRIX_URL: `${nodeRed.origin}/forward`,
      },
    });
  });
  after(async () => {
    await bed.stop();
    await nodeRed.stop();
  });
  beforeEach(async () => {
    nodeRed.requests.length = 0;
    await bed.reset();
  });
  afterEach(() => bed.hangUpAll());

  async function admin() {
    const { amiPort } = bed.asterisk;
    const client = createAmiClient({
      host: '127.0.0.1',
      port: amiPort,
      username: 'crm-min',
      secret: 'crm-min-secret',
    });
    await ready(client);
    return client;
  }

  describe('over HTTP', () => {
    it('asks with the number, the DID and the Linkedid, and calls the responsible person, who sees the name', async () => {
      nodeRed.behave = route('101', 'Иванов Пётр');
      const { phone, callerName, callerNumber } = await bed.route(DID.overHttp);
      assert.deepEqual(
        { phone, callerName, callerNumber },
        { phone: '101', callerName: 'Иванов Пётр', callerNumber: '+74951343060' },
      );
      const asked = new URL(nodeRed.requests[0]!.url, nodeRed.origin);
      assert.equal(asked.searchParams.get('phone'), '+74951343060');
      assert.equal(asked.searchParams.get('trunk'), DID.overHttp);
      assert.match(asked.searchParams.get('callid') ?? '', /^\d+\.\d+$/);
      assert.equal(nodeRed.requests.length, 1, 'one call, one question');
    });

    for (const name of [
      'Иванов, Пётр & Ко = 100%',
      'ООО (Юг',
      "a\\b;c|d#e?f:g'h",
      '${EXTEN} $[1+1] ${SHELL(id)}',
      'Ж'.repeat(80),
    ]) {
      it(`shows the name as it is: ${name.slice(0, 30)}`, async () => {
        nodeRed.behave = route('101', name);
        const { phone, callerName } = await bed.route(DID.overHttp);
        assert.deepEqual({ phone, callerName }, { phone: '101', callerName: name });
      });
    }

    it('lets no line end of a name into the SIP messages', async () => {
      nodeRed.behave = route('101', 'a\r\nX-Evil: 1');
      const { phone, callerName, taken } = await bed.route(DID.overHttp);
      assert.deepEqual({ phone, callerName }, { phone: '101', callerName: 'aX-Evil: 1' });
      assert.deepEqual(taken.headers('X-Evil'), []);
    });

    it('sets what the CRM says for the queue, and nothing that it does not say', async () => {
      const variables = { QUEUE_PRIO: '10', call_info: 'VIP, "Ромашка" & Ко' };
      nodeRed.behave = text(
        itgrix.format({ found: false, variables }, { action: 'route', question: { phone: '1' } }).body,
        'text/plain',
      );
      const { phone } = await bed.route(DID.overHttp);
      assert.equal(phone, 'ivr');
      const client = await admin();
      const channel = (await client.list({ action: 'CoreShowChannels' }))
        .map((row) => row.get('Channel') ?? '')
        .find((name) => name.startsWith('PJSIP/provider-'));
      const values = await Promise.all(
        ['QUEUE_PRIO', 'call_info', 'agent_info'].map(async (Variable) => {
          const answer = await client.action({ action: 'Getvar', headers: { Channel: channel, Variable } });
          return (answer.get('Value') ?? '').replace('(null)', '');
        }),
      );
      await client.close();
      assert.deepEqual(values, ['10', "VIP, 'Ромашка' & Ко", '']);
    });

    it('sends the key as a bearer token', async () => {
      await bed.asterisk.setGlobal('TELEPHONY_CRM_KEY', 'k-123');
      nodeRed.behave = route('101', 'x');
      await bed.route(DID.overHttp);
      await bed.asterisk.setGlobal('TELEPHONY_CRM_KEY', '""');
      assert.equal(nodeRed.requests[0]!.headers.authorization, 'Bearer k-123');
    });

    it('survives a caller without a number, or with one that is none', async () => {
      nodeRed.behave = route('', '');
      for (const fromNumber of ['anonymous', '%22%28%2C%26a']) {
        assert.equal((await bed.route(DID.overHttp, { fromNumber })).phone, 'ivr');
        await bed.hangUpAll();
      }
      assert.equal(nodeRed.requests.length, 2);
    });
  });

  describe('goes the usual way', () => {
    const cases: Record<string, () => void> = {
      'when nobody is responsible': () => (nodeRed.behave = route('', '')),
      'when the answer is empty': () => (nodeRed.behave = text('', 'text/plain')),
      'when the answer is an error page': () => (nodeRed.behave = text('number=101&name=x', 'text/plain', 503)),
      'when the answer is something else': () => (nodeRed.behave = text('<html>number=101</html>', 'text/html')),
      'when the extension does not exist': () => (nodeRed.behave = route('999', 'x')),
      'when the number is no extension': () => (nodeRed.behave = route('101&PJSIP/102', 'x')),
    };
    for (const [title, behave] of Object.entries(cases)) {
      it(title, async () => {
        behave();
        assert.equal((await bed.route(DID.overHttp)).phone, 'ivr');
        assert.deepEqual(bed.phones['101'].received, []);
        assert.deepEqual(bed.phones['102'].received, []);
      });
    }

    it('with the name, when the client is known but nobody is responsible', async () => {
      nodeRed.behave = route('', 'Ромашка');
      const { phone, callerName } = await bed.route(DID.overHttp);
      assert.deepEqual({ phone, callerName }, { phone: 'ivr', callerName: 'Ромашка' });
    });

    it('with the name that the provider gave, when the client is not known', async () => {
      nodeRed.behave = route('', '');
      assert.equal((await bed.route(DID.overHttp)).callerName, 'Provider');
    });

    for (const rule of ['busy', 'decline'] as const) {
      it(`when the responsible person's phone says ${rule}`, async () => {
        nodeRed.behave = route('101', 'x');
        bed.phones['101'].rule = rule;
        assert.equal((await bed.route(DID.overHttp)).phone, 'ivr');
        assert.equal(bed.phones['101'].received.length, 1);
      });
    }

    it('when the responsible person does not answer, after the ring time', async () => {
      nodeRed.behave = route('101', 'x');
      bed.phones['101'].rule = 'ring';
      const { phone, afterMs } = await bed.route(DID.overHttp);
      assert.equal(phone, 'ivr');
      assert.ok(afterMs >= RING_S * 1000, `${afterMs} ms`);
      assert.ok(bed.phones['101'].received[0]!.isOver, 'the first phone stopped ringing');
    });

    it('when the responsible person is not registered', async () => {
      nodeRed.behave = route('101', 'x');
      await bed.phones['101'].unregister();
      assert.equal((await bed.route(DID.overHttp)).phone, 'ivr');
    });

    it('when Node-RED takes too long, as soon as the time is over', async () => {
      nodeRed.behave = silence;
      const { phone, afterMs } = await bed.route(DID.overHttp);
      assert.equal(phone, 'ivr');
      assert.ok(afterMs >= WAIT_S * 1000 && afterMs < WAIT_S * 1000 + 3000, `${afterMs} ms`);
    });

    it('when Node-RED is down, at once', async () => {
      const down = await new FakeCrm(silence).start();
      const url = `${down.origin}/forward`;
      await down.stop();
      await bed.asterisk.setGlobal('TELEPHONY_CRM_URL', url);
      const { phone, afterMs } = await bed.route(DID.overHttp);
      await bed.asterisk.setGlobal('TELEPHONY_CRM_URL', `${nodeRed.origin}/forward`);
      assert.equal(phone, 'ivr');
      assert.ok(afterMs < WAIT_S * 1000, `${afterMs} ms`);
    });

    it('back to who called by Gosub, when no usual way is set', async () => {
      await bed.asterisk.setGlobal('TELEPHONY_CRM_USUAL', '""');
      nodeRed.behave = route('', '');
      const overHttp = await bed.route(DID.overHttpReturning);
      await bed.hangUpAll();
      const overAgi = await bed.route(DID.overAgiReturning);
      await bed.asterisk.setGlobal('TELEPHONY_CRM_USUAL', 'ivr-1,s,1');
      assert.deepEqual([overHttp.phone, overAgi.phone], ['ivr', 'ivr']);
      const asked = new URL(nodeRed.requests[0]!.url, nodeRed.origin);
      assert.equal(asked.searchParams.get('trunk'), DID.overHttpReturning, 'the DID, not "dest-1"');
    });
  });

  describe('over AsyncAGI', () => {
    it('goes the usual way when nobody is connected, as soon as the time is over, and the call lives on', async () => {
      const { phone, afterMs, call } = await bed.route(DID.overAgi);
      assert.equal(phone, 'ivr');
      assert.ok(afterMs >= WAIT_S * 1000 && afterMs < WAIT_S * 1000 + 3000, `${afterMs} ms`);
      const cut = call.ended.then(() => 'the call was cut');
      const later = new Promise((resolve) => setTimeout(() => resolve('talking'), WAIT_S * 1000 + 500));
      assert.equal(await Promise.race([cut, later]), 'talking', 'the guard must not end the call later');
    });

    it('goes the usual way when it is served, but never given back', async () => {
      const client = await admin();
      const started = new Promise<string>((resolve) => {
        client.subscribe(['AsyncAGIStart'], (event) => resolve(event.get('Channel') ?? ''));
      });
      const routed = bed.route(DID.overAgi);
      const channel = await started;
      await client.action({ action: 'AGI', headers: { Channel: channel, Command: 'EXEC Wait 30', CommandID: '1' } });
      assert.equal((await routed).phone, 'ivr');
      await client.close();
    });

    it('does what it was told, and the guard is off', async () => {
      const client = await admin();
      client.subscribe(['AsyncAGIStart'], (event) => {
        const Channel = event.get('Channel') ?? '';
        const set = (Variable: string, Value: string) =>
          client.action({ action: 'Setvar', headers: { Channel, Variable, Value } });
        void Promise.all([
          set('CRM_ROUTE_STATUS', 'found'),
          set('CRM_ROUTE_NUMBER', '102'),
          set('CRM_ROUTE_NAME', 'ООО "Ромашка", (Юг'),
        ]).then(() => client.action({ action: 'AGI', headers: { Channel, Command: 'ASYNCAGI BREAK' } }));
      });
      const { phone, callerName, call } = await bed.route(DID.overAgi);
      await client.close();
      assert.deepEqual({ phone, callerName }, { phone: '102', callerName: 'ООО "Ромашка", (Юг' });
      const cut = call.ended.then(() => 'the call was cut');
      const later = new Promise((resolve) => setTimeout(() => resolve('talking'), WAIT_S * 1000 + 500));
      assert.equal(await Promise.race([cut, later]), 'talking');
    });

    it('leaves nothing behind when the caller hangs up while it asks', async () => {
      const call = bed.call(DID.overAgi);
      await until(
        async () => (await bed.asterisk.cli('core show channels concise')).includes('AGI'),
        'the channel to ask',
      );
      call.cancel();
      await call.ended;
      await until(async () => (await bed.asterisk.cli('core show channels count')).startsWith('0 active'), 'its end');
      assert.deepEqual(bed.phones.ivr.received, []);
    });
  });

  describe("Itgrix's own dialplan, as its users have it", () => {
    it('gets the answer it expects', async () => {
      nodeRed.behave = route('101', 'Иванов, Пётр');
      const { phone, callerName } = await bed.route(DID.itgrix);
      assert.deepEqual({ phone, callerName }, { phone: '101', callerName: 'Иванов, Пётр' });
      assert.match(nodeRed.requests[0]!.url, /\?phone=\+74951343060&trunk=74951000003&callid=\d/);
    });

    it('goes to its IVR when nobody is responsible', async () => {
      nodeRed.behave = route('', '');
      assert.equal((await bed.route(DID.itgrix)).phone, 'ivr');
    });

    it('goes to its IVR after its five seconds', async () => {
      nodeRed.behave = silence;
      const { phone, afterMs } = await bed.route(DID.itgrix);
      assert.equal(phone, 'ivr');
      assert.ok(afterMs >= 5000 && afterMs < 8000, `${afterMs} ms`);
    });
  });

  // Last, because there is no way back: the module stays out.
  describe('without the function CURL', () => {
    it('goes the usual way', async () => {
      for (const module of ['res_config_curl', 'func_curl']) await bed.asterisk.cli(`module unload ${module}.so`);
      nodeRed.behave = route('101', 'x');
      assert.equal((await bed.route(DID.overHttp)).phone, 'ivr');
      assert.match(bed.asterisk.log(), /Function CURL not registered/);
    });
  });
});
