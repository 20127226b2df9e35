import assert from 'node:assert/strict';
import type { AmiAction, AmiClient } from '../../../lib/ami/types';
import { createCallControl } from '../../../lib/control/control';
import type { CallControl, ControlOrder } from '../../../lib/control/types';
import type { TelephonyError } from '../../../lib/errors';
import { defaultPhones } from '../../../lib/simulator';
import { until } from '../../support/wait';
import { CLIENT, DID_OF_102, Office, plan, settings } from './support/office';

describe('call control', () => {
  let office: Office;
  afterEach(() => office.close());

  for (const way of ['redirect', 'phone', 'park'] as const) {
    describe(`hold (${way})`, () => {
      beforeEach(async () => {
        office = await Office.open({ hold: way });
      });

      it('holds and takes back, and the record of the call stays right', async () => {
        const callId = await office.talk();
        const held = await office.run({ action: 'hold', callId });
        assert.deepEqual([held.held, held.callId, held.extension], [true, callId, '101']);
        assert.equal(held.slot, way === 'park' ? '701' : undefined);
        await until(() => office.topics('101').includes('call_held'), 'the hold');
        const back = await office.run({ action: 'unhold', extension: '101' });
        assert.deepEqual([back.held, back.legId], [false, held.legId]);
        await until(() => office.topics('101').includes('call_active'), 'the end of the hold');
        await office.run({ action: 'hangup', callId });
        const { result, talked, transfer, direction, client } = await office.record();
        assert.deepEqual({ result, talked, direction }, { result: 'answered', talked: ['101'], direction: 'in' });
        assert.equal(client?.e164, `+${CLIENT}`);
        assert.equal(transfer, undefined);
        const told = ['call_ringing', 'call_answer', 'call_held', 'call_active', 'call_hangup'];
        assert.deepEqual(office.topics('101'), told);
        assert.deepEqual(await office.live(), []);
      });

      it('is the same click both ways, and twice the same order is no error', async () => {
        await office.talk();
        const clicks = [true, false, true];
        for (const held of clicks)
          assert.equal((await office.run({ action: 'toggle-hold', extension: '101' })).held, held);
        assert.equal((await office.run({ action: 'hold', extension: '101' })).held, true);
        assert.equal((await office.run({ action: 'unhold', extension: '101' })).held, false);
        assert.equal(await office.refusal({ action: 'unhold', extension: '101' }), 'CONTROL_NOT_POSSIBLE');
      });

      it('does two clicks at once one after the other', async () => {
        await office.talk();
        const both = await Promise.all([1, 2].map(() => office.run({ action: 'toggle-hold', extension: '101' })));
        assert.deepEqual(
          both.map(({ held }) => held),
          [true, false],
        );
      });

      it('is known to the next process', async () => {
        const callId = await office.talk();
        await office.run({ action: 'hold', callId });
        await office.control.close();
        const dialling = { settings: { ...settings, hold: way }, guard: office.guard };
        const next = createCallControl({
          client: office.pbx.client,
          plan,
          dialling,
          knows: () => Promise.resolve('known'),
        });
        assert.equal((await next.run({ action: 'toggle-hold', call: { callId } })).held, false);
        await next.close();
      });

      it('hangs both up when the phone hangs up, so that nobody waits for ever', async () => {
        await office.talk();
        await office.run({ action: 'hold', extension: '101' });
        await office.run({ action: 'hangup', extension: '101' });
        assert.equal((await office.record()).result, 'answered');
        assert.deepEqual(await office.live(), []);
      });

      it('sends a held client on to somebody else', async () => {
        await office.talk();
        await office.run({ action: 'hold', extension: '101' });
        await office.run({ action: 'transfer', extension: '101', to: '105' });
        await until(() => office.topics('105').includes('call_answer'), 'the second answer');
        await until(async () => (await office.live()).length === 2, 'the first phone to be free');
        assert.deepEqual(await office.live(), ['PJSIP/105', 'PJSIP/trunk']);
        await office.run({ action: 'hangup', extension: '105' });
        const { talked, transfer } = await office.record();
        assert.deepEqual(talked, ['101', '105']);
        assert.deepEqual(transfer, { type: 'blind', from: '101', to: '105' });
      });
    });
  }

  it('lets nobody wait alone: a held client who hangs up frees the phone', async () => {
    office = await Office.open();
    const callId = await office.talk();
    const { legId } = await office.run({ action: 'hold', callId });
    await office.run({ action: 'hangup', legId: callId });
    await until(async () => (await office.live()).length === 0, 'both to be gone');
    assert.notEqual(legId, callId);
    assert.equal((await office.record()).result, 'answered');
  });

  it('hands the client over blindly, and tells who talked', async () => {
    office = await Office.open();
    const callId = await office.talk();
    await office.run({ action: 'transfer', callId, to: '105' });
    await until(() => office.topics('105').includes('call_answer'), 'the second answer');
    await office.run({ action: 'hangup', callId });
    const { talked, transfer } = await office.record();
    assert.deepEqual([talked, transfer], [['101', '105'], { type: 'blind', from: '101', to: '105' }]);
    assert.deepEqual(office.guard.asked, ['105']);
  });

  it('hands the client over after a word with the colleague', async () => {
    office = await Office.open();
    const callId = await office.talk();
    await office.run({ action: 'attended-transfer', extension: '101', to: '105' });
    await until(() => office.topics('101').includes('call_held'), 'the hold');
    await until(() => office.isUp('105'), 'the consultation');
    await office.run({ action: 'complete-transfer', extension: '101' });
    await until(() => office.topics('105').includes('call_answer'), 'the second answer');
    await office.run({ action: 'hangup', callId });
    const { talked, transfer } = await office.record();
    assert.deepEqual([talked, transfer], [['101', '105'], { type: 'attended', from: '101', to: '105' }]);
  });

  it('comes back from the colleague to the client', async () => {
    office = await Office.open();
    const callId = await office.talk();
    await office.run({ action: 'attended-transfer', extension: '101', to: '105' });
    await until(() => office.isUp('105'), 'the consultation');
    await office.run({ action: 'cancel-transfer', extension: '101' });
    await until(() => office.topics('101').includes('call_active'), 'the way back');
    assert.equal(await office.refusal({ action: 'complete-transfer', extension: '101' }), 'CONTROL_NOT_POSSIBLE');
    await office.run({ action: 'hangup', callId });
    const { talked, transfer } = await office.record();
    assert.deepEqual([talked, transfer], [['101'], undefined]);
  });

  it("comes back while the colleague's phone rings, and says that he has not answered", async () => {
    const phones = defaultPhones.map((one) => (one.extension === '105' ? { ...one, rule: 'no-answer' as const } : one));
    office = await Office.open({ ringMs: 1500, phones });
    await office.talk();
    await office.run({ action: 'attended-transfer', extension: '101', to: '105' });
    await until(() => office.topics('101').includes('call_held'), 'the hold');
    assert.equal(await office.refusal({ action: 'complete-transfer', extension: '101' }), 'CONTROL_NOT_ANSWERED');
    await office.run({ action: 'cancel-transfer', extension: '101' });
    await until(() => office.topics('101').at(-1) === 'call_active', 'the way back');
    assert.deepEqual(await office.live(), ['PJSIP/101', 'PJSIP/trunk']);
  });

  it('parks the client for anybody, and frees the phone', async () => {
    office = await Office.open();
    await office.talk();
    const { slot } = await office.run({ action: 'park', extension: '101', to: '105' });
    assert.equal(slot, '701');
    await until(async () => (await office.live()).length === 1, 'the phone to be free');
    const [parked] = await office.pbx.client.list({ action: 'ParkedCalls' });
    assert.equal(parked?.get('ParkerDialString'), 'PJSIP/105');
  });

  it('sends a client who still waits for the phone to another one', async () => {
    office = await Office.open({ ringMs: 60_000 });
    const callId = await office.ring();
    assert.equal(await office.refusal({ action: 'transfer', callId, to: '105' }), 'CONTROL_NOT_POSSIBLE');
    await office.run({ action: 'redirect', callId, to: '105' });
    await until(() => office.topics('105').includes('call_ringing'), 'the other phone');
  });

  it('records, pauses, goes on and stops, under a name that is safe', async () => {
    office = await Office.open();
    const callId = await office.talk();
    assert.equal(await office.refusal({ action: 'record-pause', callId }), 'CONTROL_NOT_POSSIBLE');
    const { file = '' } = await office.run({ action: 'record-start', callId });
    assert.match(file, /\/\d{8}-\d{6}-\d+\.\d+\.wav$/);
    for (const action of ['record-pause', 'record-resume', 'record-stop']) {
      assert.equal((await office.run({ action, extension: '101' })).file, file);
    }
    assert.equal(await office.refusal({ action: 'record-stop', callId }), 'CONTROL_REFUSED');
    const named = await office.run({ action: 'record-start', callId, file: 'complaint_7.wav' });
    assert.match(named.file ?? '', /\/complaint_7\.wav$/);
    await office.run({ action: 'hangup', callId });
    assert.match((await office.record()).recording?.file ?? '', /complaint_7\.wav$/);
  });

  it('sets variables on the channel that was named', async () => {
    office = await Office.open();
    const callId = await office.talk();
    const variables = { CRM_ID: 'a,b "c"\\', count: 7 };
    const { legId } = await office.run({ action: 'set', extension: '101', variables });
    const read = async (uniqueid: string | undefined): Promise<string | undefined> => {
      const headers = { Channel: uniqueid, Variable: 'CRM_ID' };
      return (await office.pbx.client.action({ action: 'Getvar', headers })).get('Value');
    };
    assert.deepEqual([await read(legId), await read(callId)], [variables.CRM_ID, '']);
    await office.run({ action: 'set', callId, variables });
    assert.equal(await read(callId), variables.CRM_ID);
  });

  it('mutes and hangs up by whatever names the call', async () => {
    office = await Office.open();
    const callId = await office.talk();
    const { legId } = await office.run({ action: 'mute', extension: '101' });
    await office.run({ action: 'unmute', legId });
    await office.run({ action: 'hangup', legId });
    assert.equal((await office.record()).callId, callId);
  });

  describe('which call', () => {
    it('is told by the names of channels: a caller who shows himself as 105 is nobody of ours', async () => {
      office = await Office.open();
      await office.ring('105');
      await until(() => office.topics('101').includes('call_answer'), 'the answer');
      assert.equal(await office.refusal({ action: 'hangup', extension: '105' }), 'CONTROL_NO_CALL');
    });

    it('is not guessed when there are two', async () => {
      office = await Office.open();
      const first = await office.talk();
      const second = await office.ring();
      await until(() => office.topics('101').filter((topic) => topic === 'call_answer').length === 2, 'both answers');
      assert.equal(await office.refusal({ action: 'hangup', extension: '101' }), 'CONTROL_AMBIGUOUS');
      // The one that waits is not the one that talks.
      await office.run({ action: 'hold', callId: first });
      assert.equal((await office.run({ action: 'mute', extension: '101' })).callId, second);
    });

    it('is none when it is over, or never was', async () => {
      office = await Office.open();
      for (const call of [{ callId: '1.1' }, { legId: '1.1' }, { extension: '101' }]) {
        assert.equal(await office.refusal({ action: 'hangup', ...call }), 'CONTROL_NO_CALL');
      }
      const callId = await office.talk();
      assert.equal(await office.refusal({ action: 'hangup', callId, extension: '105' }), 'CONTROL_NO_CALL');
    });
  });

  describe('the rules for dialling', () => {
    beforeEach(async () => {
      office = await Office.open();
    });

    it('are asked before anything is done', async () => {
      await office.talk();
      const order = { action: 'transfer', extension: '101' };
      assert.equal(await office.refusal({ ...order, to: '88095001234' }), 'DIAL_DENIED');
      office.guard.isFull = true;
      assert.equal(await office.refusal({ ...order, to: '89031234567' }), 'DIAL_TOO_MANY');
      assert.deepEqual(office.guard.taken, ['101']);
      assert.deepEqual(await office.live(), ['PJSIP/101', 'PJSIP/trunk']);
    });

    it('let a client through to a number outside', async () => {
      await office.talk();
      await office.run({ action: 'transfer', extension: '101', to: '8 (903) 123-45-67' });
      await until(async () => (await office.live()).join() === 'PJSIP/trunk,PJSIP/trunk', 'the second trunk');
    });

    it('never see feature codes, letters and other things that are no number', async () => {
      await office.talk();
      for (const to of ['*65', '#1', 'ivr', '101&102', 'Local/101', '']) {
        assert.equal(await office.refusal({ action: 'transfer', extension: '101', to }), 'CONTROL_BAD_ORDER', to);
      }
      assert.deepEqual(office.guard.asked, []);
    });

    it('do not send a call to where the dialplan has nothing', async () => {
      await office.talk();
      assert.equal(await office.refusal({ action: 'transfer', extension: '101', to: '199' }), 'CONTROL_NOT_POSSIBLE');
      const order = { action: 'redirect', extension: '101', to: '105', context: 'nowhere' };
      assert.equal(await office.refusal(order), 'CONTROL_NOT_POSSIBLE');
      assert.deepEqual(await office.live(), ['PJSIP/101', 'PJSIP/trunk']);
    });
  });

  it('names the permission that is missing', async () => {
    office = await Office.open({ hold: 'phone', user: { write: ['call', 'reporting'] } });
    await office.talk();
    for (const action of ['hold', 'mute', 'record-start']) {
      await assert.rejects(office.run({ action, extension: '101' }), (thrown: Error) => {
        assert.match(thrown.message, /"system"/);
        return (thrown as Error & { code: string }).code === 'CONTROL_NOT_POSSIBLE';
      });
    }
  });

  it('takes so many orders at once on one extension and no more, and none after the end', async () => {
    office = await Office.open();
    const all = Array.from({ length: 60 }, () => office.refusal({ action: 'mute', extension: '101' }));
    const codes = await Promise.all(all);
    assert.deepEqual([...new Set(codes)], ['CONTROL_NO_CALL', 'CONTROL_BUSY']);
    assert.equal(codes.filter((code) => code === 'CONTROL_BUSY').length, 50);
    await office.control.close();
    assert.equal(await office.refusal({ action: 'mute', extension: '101' }), 'CONTROL_STOPPED');
  });

  describe('while a phone is slow to do what it was told', () => {
    let control: CallControl;
    const run = (action: ControlOrder['action'], call: ControlOrder['call']) => control.run({ action, call });

    beforeEach(async () => {
      office = await Office.open({
        hold: 'phone',
        phones: defaultPhones.map((phone) => ({ ...phone, rule: 'answers' })),
      });
      const { client } = office.pbx;
      // The NOTIFY reaches a phone that does not know it.
      const deaf: AmiClient = Object.create(client, {
        action: {
          value: (asked: AmiAction) => client.action(asked.action === 'PJSIPNotify' ? { action: 'Ping' } : asked),
        },
      }) as AmiClient;
      const dialling = { settings: { ...settings, hold: 'phone' as const }, guard: office.guard };
      control = createCallControl({ client: deaf, plan, dialling, knows: () => Promise.resolve('known') });
    });
    afterEach(() => control.close());

    it('others hang up at once', async () => {
      const other = await office.ring(CLIENT, DID_OF_102);
      await office.talk();
      await until(() => office.topics('102').includes('call_answer'), 'the answer of 102');
      const ended: string[] = [];
      const holds = [1, 2, 3].map(() =>
        run('hold', { extension: '101' }).catch((thrown: unknown) =>
          ended.push(`hold: ${(thrown as TelephonyError).code}`),
        ),
      );
      const many = Array.from({ length: 120 }, () => run('hold', { extension: '101' }).catch(() => undefined));
      const { callId } = await run('hangup', { extension: '102' });
      ended.push('hangup');
      await control.close();
      await Promise.all([...holds, ...many]);
      assert.equal(callId, other);
      assert.equal(ended[0], 'hangup');
    });

    it('the other party of its own call waits for one order only, whatever else is ordered there', async () => {
      const callId = await office.talk();
      const ended: string[] = [];
      const holds = Array.from({ length: 3 }, () =>
        run('hold', { extension: '101' }).catch((thrown: unknown) => ended.push((thrown as TelephonyError).code)),
      );
      await until(async () => (await office.live()).length === 2, 'the first to be under way');
      await run('hangup', { legId: callId });
      ended.push('hangup');
      await Promise.all(holds);
      assert.deepEqual(ended.slice(0, 2), ['CONTROL_NOT_POSSIBLE', 'hangup']);
    });
  });

  it('refuses at once while there is no link', async () => {
    office = await Office.open();
    await office.simulator.stop();
    await until(() => office.pbx.client.state.phase !== 'ready', 'the end of the link');
    assert.equal(await office.refusal({ action: 'hangup', extension: '101' }), 'AMI_NOT_CONNECTED');
  });
});
