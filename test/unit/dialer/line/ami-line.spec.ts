import assert from 'node:assert/strict';
import { amiError, badValue } from '../../../../lib/ami/errors';
import type { AmiMessage } from '../../../../lib/ami/types';
import type { OrdersInAir } from '../../../../lib/dialer/line/ami-line';
import type { Attempt, AttemptPhase, AttemptResult } from '../../../../lib/dialer/types';
import { amiEvent } from '../../../support/ami-messages';
import { refusal, success } from '../support/fake-client';
import { breathe, type Dialled, lineBed, type LineBed } from '../support/line';
import { attemptOf, autocallOrder, clickOrder, plainOrder } from '../support/orders';

const ID = 'tcrm-abcdefgh-1-1';
const FIRST = { Channel: 'PJSIP/101-00000001', Uniqueid: ID, Linkedid: ID };
const CLIENT = { Channel: 'PJSIP/trunk-00000002', Uniqueid: '1795203579.106', Linkedid: ID };
const DIALS = { ...FIRST, DestChannel: CLIENT.Channel, DestUniqueid: CLIENT.Uniqueid, DestLinkedid: ID };
const UP = { ChannelState: '6' };
const RINGING = { ChannelState: '5' };

/** The agent's phone rings and is picked up. */
function agentAnswers({ client }: LineBed): void {
  client.event('Newchannel', FIRST);
  client.event('Newstate', { ...FIRST, ...RINGING });
  client.event('Newstate', { ...FIRST, ...UP });
}
function clientAnswers({ client }: LineBed): void {
  client.event('DialBegin', DIALS);
  client.event('DialState', { ...DIALS, DialStatus: 'RINGING' });
  client.event('DialEnd', { ...DIALS, DialStatus: 'ANSWER' });
}
const hangUp = ({ client }: LineBed, cause = '16', of: Record<string, string> = FIRST): void =>
  client.event('Hangup', { ...of, Cause: cause, 'Cause-txt': 'some text' });
const row = (headers: Record<string, string>): AmiMessage => amiEvent('CoreShowChannel', headers);

const timeout = () => amiError('AMI_TIMEOUT', { place: 'pbx', action: 'Originate', ms: 10_000 });
const code = (result: AttemptResult | undefined) => [result?.outcome, result?.reached, result?.error?.code];
const UNKNOWN = ['failed', 'unknown', 'LINE_LOST_SIGHT'];

/** A try that waits for the answer to its Originate. */
async function dialClick(bed: LineBed) {
  const dialled = bed.dial(clickOrder(), ID);
  await breathe();
  return dialled;
}

describe('a line over AMI', () => {
  let bed: LineBed;
  beforeEach(() => {
    bed = lineBed();
  });
  afterEach(async () => {
    await bed.line.close();
    assert.equal(bed.client.subscriptions, 0);
    assert.equal(bed.clock.running, 0);
    assert.equal(bed.script.attached, 0);
  });

  describe('before it dials', () => {
    it('asks whether Asterisk is there, unless it has answered within the last second', async () => {
      const names = () => bed.client.sent.map(({ action }) => action);
      bed.dial(clickOrder(), ID);
      await breathe();
      assert.deepEqual(names(), ['Ping', 'Originate']);
      bed.clock.advance(900);
      bed.dial(clickOrder(), `${ID}1`);
      await breathe();
      assert.deepEqual(names(), ['Ping', 'Originate', 'Originate']);
      bed.clock.advance(1100);
      bed.dial(clickOrder(), `${ID}2`);
      await breathe();
      assert.deepEqual(names(), ['Ping', 'Originate', 'Originate', 'Ping', 'Originate']);
    });

    it('gives a frozen PBX nothing to do, says that it is not ready, and is ready when it answers again', async () => {
      const told: boolean[] = [];
      bed.line.onReady((isReady) => told.push(isReady));
      bed.client.answers.set('Ping', timeout);
      const dialled = bed.dial(clickOrder(), ID);
      await breathe();
      assert.deepEqual(code(await dialled.result), ['failed', 'not-sent', 'LINE_SILENT']);
      assert.deepEqual([told, bed.line.isReady, bed.client.actions], [[false], false, []]);
      bed.client.answers.delete('Ping');
      await bed.clock.advanceAsync(1000);
      assert.deepEqual([told, bed.line.isReady], [[false, true], true]);
    });

    it('follows the link', () => {
      const told: boolean[] = [];
      bed.line.onReady((isReady) => told.push(isReady));
      bed.client.lose();
      bed.client.logIn();
      assert.deepEqual(told, [false, true]);
    });

    it('counts nothing that was not sent', async () => {
      bed.client.lose();
      assert.deepEqual(code(await bed.dial(clickOrder(), ID).result), ['failed', 'not-sent', 'AMI_NOT_CONNECTED']);
      bed.client.logIn();
      bed.client.answers.set('Originate', () => amiError('AMI_TOO_MANY_PENDING'));
      assert.deepEqual(code(await bed.dial(clickOrder(), ID).result), ['failed', 'not-sent', 'AMI_TOO_MANY_PENDING']);
    });

    it('ends an order whose text cannot be sent: it would be refused for ever', async () => {
      bed.client.answers.set('Originate', () => badValue('Originate', 'CallerID', 'tooLong', { limit: 1024 }));
      assert.deepEqual(code(await bed.dial(clickOrder(), ID).result), ['failed', 'no', 'AMI_BAD_VALUE']);
    });

    it('does not send what expired while Asterisk was asked', async () => {
      bed.client.answers.set('Ping', async () => {
        bed.clock.advance(500);
        return Promise.resolve(success());
      });
      const order = clickOrder({ expiresAt: bed.clock.now() + 400 });
      assert.deepEqual(code(await bed.dial(order, ID).result), ['failed', 'not-sent', 'LINE_TOO_LATE']);
      assert.deepEqual(bed.client.actions, []);
    });

    it('tells a missing permission by its name', async () => {
      bed.client.answers.set('Originate', () => refusal('Permission denied'));
      const result = await bed.dial(clickOrder(), ID).result;
      assert.deepEqual(code(result), ['failed', 'no', 'LINE_PERMISSION']);
      assert.match(result.error?.message ?? '', /"originate"/);
    });

    it('refuses more tries than it can follow', async () => {
      for (let i = 0; i < 1024; i += 1) bed.dial(clickOrder(), `${ID}-${i}`);
      assert.deepEqual(code(await bed.dial(clickOrder(), ID).result), ['failed', 'not-sent', 'LINE_FULL']);
    });

    it('dials one try once, however often it is asked', async () => {
      const dialled = await dialClick(bed);
      const again = await dialClick(bed);
      assert.deepEqual(bed.client.actions, ['Originate']);
      agentAnswers(bed);
      hangUp(bed, '3');
      assert.deepEqual(await again.result, await dialled.result);
    });

    it('tells the dialplan when it is too late, by the clock of the PBX', async () => {
      // It is three minutes ahead of ours.
      bed.client.answers.set('Ping', () => success({ Timestamp: String((bed.clock.now() + 180_000) / 1000) }));
      const expiresAt = bed.clock.now() + 30_000;
      bed.dial(clickOrder({ expiresAt }), ID);
      await breathe();
      assert.equal(bed.client.sent.at(-1)?.variables?.TCRM_EXPIRES, (expiresAt + 180_000 + 30_000) / 1000);
    });
  });

  describe('the clock', () => {
    const expires = () => bed.client.sent.at(-1)?.variables?.TCRM_EXPIRES;
    const ping = (aheadMs: number) => () => success({ Timestamp: String((bed.clock.now() + aheadMs) / 1000) });

    it('of ours that is set does not make the dialplan refuse what is dialled in time', async () => {
      bed.client.answers.set('Ping', ping(0));
      bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), ID);
      await breathe();
      const expected = expires();
      // That of the PBX goes on as before.
      bed.clock.jumpWall(-3_600_000);
      bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), `${ID}1`);
      await breathe();
      assert.equal(expires(), expected);
    });

    it('of the PBX is asked for in each session, though another action was answered already', async () => {
      bed = lineBed({ orders: { isOver: () => Promise.resolve(false) } });
      await breathe();
      bed.client.answers.set('Ping', ping(600_000));
      bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), ID);
      await breathe();
      assert.equal(expires(), (bed.clock.now() + 600_000 + 60_000) / 1000);
      bed.client.lose();
      bed.client.answers.set('Ping', ping(-600_000));
      bed.client.logIn();
      await breathe();
      bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), `${ID}1`);
      await breathe();
      assert.equal(expires(), (bed.clock.now() - 600_000 + 60_000) / 1000);
    });

    it('of the PBX is asked for now and then, however many calls are dialled in between', async () => {
      bed.client.answers.set('Ping', ping(0));
      for (let second = 0; second <= 60; second += 1) {
        bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), `${ID}${second}`);
        await breathe();
        if (second === 5) bed.client.answers.set('Ping', ping(600_000));
        bed.clock.advance(1000);
      }
      bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), ID);
      await breathe();
      assert.equal(expires(), (bed.clock.now() + 600_000 + 60_000) / 1000);
    });
  });

  describe('a click', () => {
    it('is answered when the client is, and stays so through a transfer', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      bed.clock.advance(3000);
      clientAnswers(bed);
      const answeredAt = bed.clock.now();
      bed.clock.advance(60_000);
      bed.client.event('BlindTransfer', FIRST);
      hangUp(bed);
      const result = await dialled.result;
      assert.deepEqual(
        [result.outcome, result.reached, result.answeredAt, result.endedAt, result.callId],
        ['answered', 'yes', answeredAt, answeredAt + 60_000, ID],
      );
    });

    it('follows the agent’s leg when a transfer gives it an older Linkedid', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      clientAnswers(bed);
      bed.client.event('Hangup', { ...FIRST, Linkedid: '1795203000.1', Cause: '16' });
      assert.equal((await dialled.result).outcome, 'answered');
    });

    it('ends each of two clicks whose clients their agent joins: then both have one Linkedid', async () => {
      const dialled = await dialClick(bed);
      const OTHER = 'tcrm-abcdefgh-2-1';
      const second = { Channel: 'PJSIP/101-00000009', Uniqueid: OTHER, Linkedid: OTHER };
      const other = bed.dial(clickOrder(), OTHER);
      await breathe();
      agentAnswers(bed);
      clientAnswers(bed);
      bed.client.event('Newchannel', second);
      bed.client.event('Newstate', { ...second, ...UP });
      bed.client.event('DialEnd', { ...second, DestUniqueid: '1.1', DestLinkedid: OTHER, DialStatus: 'ANSWER' });
      hangUp(bed);
      assert.equal((await dialled.result).outcome, 'answered');
      const third = await dialClick(bed);
      hangUp(bed, '16', { ...second, Linkedid: ID });
      await breathe();
      assert.deepEqual([other.now?.outcome, third.now], ['answered', undefined]);
    });

    it('fails by the cause of a trunk that is down, which Dial tells nothing of', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      hangUp(bed, '3');
      const result = await dialled.result;
      assert.deepEqual([...code(result), result.cause?.code], ['failed', 'no', undefined, 3]);
    });

    it('does not call a client again whom the dialplan may have given another way', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      hangUp(bed);
      assert.deepEqual(code(await dialled.result), ['failed', 'unknown', 'LINE_NOBODY_DIALLED']);
    });

    it('is answered by a conference, where no Dial says so', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      bed.client.event('BridgeEnter', FIRST);
      hangUp(bed);
      assert.equal((await dialled.result).outcome, 'answered');
    });

    for (const [cause, title] of [
      ['0', 'on 22'],
      ['127', 'on 16'],
    ] as const) {
      it(`rings out: the client did not answer (${title})`, async () => {
        const dialled = await dialClick(bed);
        agentAnswers(bed);
        bed.client.event('DialBegin', DIALS);
        bed.client.event('DialEnd', { ...DIALS, DialStatus: 'NOANSWER' });
        hangUp(bed, cause, CLIENT);
        hangUp(bed, cause);
        const result = await dialled.result;
        assert.deepEqual(
          [...code(result), result.cause],
          ['no-answer', 'no', undefined, { code: 19, text: 'User alerting, no answer' }],
        );
      });
    }

    it('tells of the trunk that was tried last', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      const second = { ...DIALS, DestUniqueid: '1795203579.107' };
      bed.client.event('DialBegin', DIALS);
      bed.client.event('DialEnd', { ...DIALS, DialStatus: 'CONGESTION' });
      hangUp(bed, '34', CLIENT);
      bed.client.event('DialBegin', second);
      bed.client.event('DialEnd', { ...second, DialStatus: 'BUSY' });
      hangUp(bed, '17', { ...CLIENT, Uniqueid: second.DestUniqueid });
      hangUp(bed, '17');
      assert.equal((await dialled.result).outcome, 'busy');
    });

    it('goes on when its Local channel is optimised away, until one of the two hangs up', async () => {
      const dialled = await dialClick(bed);
      const local = { ...FIRST, Channel: 'Local/101@from-internal-00000001;1' };
      const phone = { Channel: 'PJSIP/101-00000009', Uniqueid: '1795203579.100', Linkedid: ID };
      bed.client.event('Newchannel', local);
      bed.client.event('Newstate', { ...phone, ...UP });
      bed.client.event('Newstate', { ...local, ...UP });
      clientAnswers(bed);
      bed.client.event('Newstate', { ...CLIENT, ...UP });
      bed.client.event('LocalOptimizationEnd', { LocalOneUniqueid: ID, LocalTwoUniqueid: `${ID};2` });
      hangUp(bed, '16', local);
      await breathe();
      assert.equal(dialled.now, undefined);
      bed.clock.advance(60_000);
      hangUp(bed, '16', phone);
      const result = await dialled.result;
      assert.deepEqual([result.outcome, result.endedAt], ['answered', bed.clock.now()]);
    });
  });

  describe('an autocall', () => {
    describe('of which nothing was played', () => {
      const picked = async (): Promise<Dialled> => {
        const dialled = bed.dial(autocallOrder(), ID);
        await breathe();
        bed.client.event('Newchannel', FIRST);
        bed.client.event('Newstate', { ...FIRST, ...UP });
        return dialled;
      };

      it('because the dialplan found it too late, has failed, and is not dialled again', async () => {
        const { result } = await picked();
        hangUp(bed, '103');
        const ended = await result;
        assert.deepEqual([...code(ended), ended.heard], ['failed', 'yes', 'LINE_NOTHING_PLAYED', 0]);
      });

      it('and Asterisk hung up for whatever reason, has failed too', async () => {
        bed.script.results.set(ID, 'not-offered');
        const { result } = await picked();
        hangUp(bed);
        assert.deepEqual(code(await result), ['failed', 'yes', 'LINE_NOTHING_PLAYED']);
      });

      it('and the client hung up, was not heard at all', async () => {
        bed.script.results.set(ID, 'not-offered');
        const { result } = await picked();
        bed.client.event('HangupRequest', FIRST);
        hangUp(bed);
        const { outcome, heard: files } = await result;
        assert.deepEqual([outcome, files], ['heard-partly', 0]);
      });

      it('since it was late and was hung up at once, has failed though he was quick to answer', async () => {
        const dialled = bed.dial(autocallOrder({ expiresAt: bed.clock.now() + 1000 }), ID);
        await breathe();
        bed.clock.advance(20_000);
        bed.client.event('Newchannel', FIRST);
        bed.client.event('Newstate', { ...FIRST, ...UP });
        hangUp(bed);
        assert.deepEqual(code(await dialled.result), ['failed', 'yes', 'LINE_TOO_LATE']);
      });

      it('and only the end of it was seen, is not called again', async () => {
        const dialled = bed.dial(autocallOrder(), ID);
        await breathe();
        bed.client.event('Newchannel', FIRST);
        hangUp(bed, '16', { ...FIRST, ...UP });
        assert.notEqual((await dialled.result).reached, 'no');
      });

      it('as far as can be known while the link was down, may have been heard', async () => {
        const { result } = await picked();
        bed.client.rows = () => [amiEvent('CoreShowChannel', { ...FIRST, ...UP })];
        bed.client.lose();
        bed.client.logIn();
        await breathe();
        bed.script.results.set(ID, 'not-offered');
        bed.client.event('HangupRequest', FIRST);
        hangUp(bed);
        const { outcome, heard: files } = await result;
        assert.deepEqual([outcome, files], ['heard-partly', undefined]);
      });
    });

    const heard = { heard: 2, of: 2, confirmed: false, machine: false };
    async function run(order: Parameters<typeof autocallOrder>[0], found: typeof heard): Promise<AttemptResult> {
      const dialled = bed.dial(autocallOrder(order), ID);
      await breathe();
      agentAnswers(bed);
      bed.script.results.set(ID, found);
      hangUp(bed);
      return dialled.result;
    }
    const essence = ({ outcome, reached, heard: files }: AttemptResult) => [outcome, reached, files];

    it('ends as its script heard it', async () => {
      const prompt = { prompt: 'press-1' };
      assert.deepEqual(essence(await run({}, heard)), ['answered', 'yes', 2]);
      assert.deepEqual(essence(await run({}, { ...heard, heard: 1 })), ['heard-partly', 'yes', 1]);
      assert.deepEqual(essence(await run({}, { ...heard, heard: 0 })), ['heard-partly', 'yes', 0]);
      assert.deepEqual(essence(await run({}, { ...heard, heard: 0, machine: true })), ['machine', 'no', 0]);
      assert.deepEqual(essence(await run(prompt, { ...heard, confirmed: true })), ['confirmed', 'yes', 2]);
      assert.deepEqual(essence(await run(prompt, { ...heard, heard: 1, confirmed: true })), ['heard-partly', 'yes', 1]);
      assert.deepEqual(essence(await run(prompt, { ...heard, heard: 0 })), ['no-answer', 'no', 0]);
    });

    it('tells when 1 is pressed', async () => {
      const dialled = bed.dial(autocallOrder({ prompt: 'press-1' }), ID);
      await breathe();
      agentAnswers(bed);
      bed.script.confirm(ID);
      assert.deepEqual(dialled.phases, ['dialing', 'ringing', 'answered', 'confirmed']);
    });

    for (const [status, cause, outcome] of [
      ['BUSY', '17', 'busy'],
      ['NOANSWER', '21', 'no-answer'],
      ['NOANSWER', '1', 'failed'],
      ['CONGESTION', '34', 'failed'],
    ] as const) {
      it(`is ${outcome} when the client’s leg ends with ${status}, cause ${cause}`, async () => {
        const dialled = bed.dial(autocallOrder(), ID);
        await breathe();
        bed.client.event('Newchannel', FIRST);
        bed.client.event('DialBegin', { DestUniqueid: ID, DestLinkedid: ID });
        bed.client.event('DialEnd', { DestUniqueid: ID, DestLinkedid: ID, DialStatus: status });
        hangUp(bed, cause);
        const result = await dialled.result;
        assert.deepEqual([...code(result), result.cause?.code], [outcome, 'no', undefined, Number(cause)]);
      });
    }

    it('rings out without any DialEnd, as Asterisk 16 tells it', async () => {
      const dialled = bed.dial(autocallOrder(), ID);
      await breathe();
      bed.client.event('Newchannel', FIRST);
      bed.client.event('DialBegin', { DestUniqueid: ID, DestLinkedid: ID });
      bed.client.event('OriginateResponse', { Response: 'Failure', Reason: '3', Uniqueid: ID });
      hangUp(bed, '0');
      assert.deepEqual(code(await dialled.result), ['no-answer', 'no', undefined]);
    });
  });

  describe('cancelled', () => {
    it('before it is sent, it is never sent', async () => {
      const dialled = bed.dial(clickOrder(), ID);
      bed.line.cancel(ID);
      assert.deepEqual(code(await dialled.result), ['cancelled', 'not-sent', undefined]);
      assert.deepEqual(bed.client.actions, []);
    });

    it('while it rings, it is hung up', async () => {
      const dialled = await dialClick(bed);
      bed.client.event('Newchannel', FIRST);
      bed.line.cancel(ID);
      assert.deepEqual(bed.client.sent.at(-1), { action: 'Hangup', headers: { Channel: ID, Cause: 16 } });
      hangUp(bed);
      assert.deepEqual(code(await dialled.result), ['cancelled', 'no', undefined]);
    });

    it('before its channel is there, it is hung up when it comes', async () => {
      bed.client.answers.set('Hangup', () => refusal('No such channel'));
      const dialled = await dialClick(bed);
      bed.line.cancel(ID);
      bed.client.event('Newchannel', FIRST);
      assert.deepEqual(bed.client.actions, ['Originate', 'Hangup', 'Hangup']);
      hangUp(bed);
      assert.deepEqual(code(await dialled.result), ['cancelled', 'no', undefined]);
    });

    it('when the client has answered, it was answered', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      clientAnswers(bed);
      bed.line.cancel(ID);
      hangUp(bed);
      assert.deepEqual(code(await dialled.result), ['answered', 'yes', undefined]);
    });

    it('is a word about nothing, when nothing is meant', () => {
      bed.line.cancel('tcrm-abcdefgh-9-9');
      assert.deepEqual(bed.client.actions, []);
    });
  });

  describe('a link that fails', () => {
    it('leaves a try in the air when the Originate was not answered, and follows the one that it finds', async () => {
      bed.client.answers.set('Originate', timeout);
      bed.client.rows = () => [row({ ...FIRST, ...RINGING })];
      const dialled = await dialClick(bed);
      await breathe();
      assert.equal(dialled.now, undefined);
      assert.deepEqual(dialled.phases, ['dialing', 'ringing']);
      bed.client.event('Newstate', { ...FIRST, ...UP });
      clientAnswers(bed);
      hangUp(bed);
      assert.deepEqual(code(await dialled.result), ['answered', 'yes', undefined]);
    });

    it('gives up one that it does not find, for good', async () => {
      bed.client.answers.set('Originate', timeout);
      const dialled = await dialClick(bed);
      assert.deepEqual(code(await dialled.result), UNKNOWN);
    });

    it('does not give up one that comes while it looks', async () => {
      bed.client.answers.set('Originate', timeout);
      let came!: (rows: AmiMessage[]) => void;
      bed.client.rows = () => new Promise((resolve) => (came = resolve));
      const dialled = await dialClick(bed);
      bed.client.event('Newchannel', FIRST);
      bed.client.rows = () => [row(FIRST)];
      came([]);
      await breathe();
      assert.equal(dialled.now, undefined);
      hangUp(bed, '19');
      assert.deepEqual(code(await dialled.result), ['failed', 'no', 'LINE_AGENT_NO_ANSWER']);
    });

    it('looks again until it can see, and says once why it cannot', async () => {
      bed.client.answers.set('Originate', timeout);
      bed.client.rows = () => amiError('AMI_ACTION_FAILED', { message: 'Permission denied' });
      const dialled = await dialClick(bed);
      await bed.clock.advanceAsync(4000);
      assert.equal(dialled.now, undefined);
      assert.deepEqual(bed.warnings, ['LINE_SCAN_FAILED']);
      bed.client.rows = () => [];
      await bed.clock.advanceAsync(2000);
      assert.deepEqual(code(dialled.now), UNKNOWN);
    });

    it('finds its tries again after the next login', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      bed.client.lose();
      bed.client.rows = () => [row({ ...FIRST, ...UP, BridgeId: 'b1' }), row({ ...CLIENT, ...UP, BridgeId: 'b1' })];
      bed.client.logIn();
      await breathe();
      assert.deepEqual(dialled.phases, ['dialing', 'ringing', 'agent-answered', 'answered']);
      hangUp(bed);
      assert.equal((await dialled.result).outcome, 'answered');
    });

    it('tells the client’s ringing that it finds then, and what comes of it', async () => {
      const dialled = await dialClick(bed);
      bed.client.lose();
      bed.client.rows = () => [row({ ...FIRST, ...UP, BridgeId: '' }), row({ ...CLIENT, ...RINGING, BridgeId: '' })];
      bed.client.logIn();
      await breathe();
      assert.deepEqual(dialled.phases, ['dialing', 'agent-answered', 'client-ringing']);
      bed.client.event('DialEnd', { ...DIALS, DialStatus: 'BUSY' });
      hangUp(bed, '17', CLIENT);
      hangUp(bed, '17');
      assert.equal((await dialled.result).outcome, 'busy');
    });

    it('knows that one which is gone by then had been answered', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      clientAnswers(bed);
      bed.client.lose();
      bed.client.logIn();
      assert.deepEqual(code(await dialled.result), ['answered', 'yes', undefined]);
    });

    it('follows two who talk without their Local channel, and knows when one of them left meanwhile', async () => {
      const dialled = await dialClick(bed);
      agentAnswers(bed);
      clientAnswers(bed);
      const phone = { Channel: 'PJSIP/101-00000009', Uniqueid: '1795203579.100', Linkedid: ID };
      const rows = [row({ ...CLIENT, ...UP }), row({ ...phone, ...UP })];
      bed.client.lose();
      bed.client.rows = () => rows;
      bed.client.logIn();
      await breathe();
      assert.equal(dialled.now, undefined);
      bed.client.lose();
      rows.pop();
      bed.client.logIn();
      assert.deepEqual(code(await dialled.result), ['answered', 'yes', undefined]);
    });

    it('knows nothing of one that rang', async () => {
      const dialled = await dialClick(bed);
      bed.client.event('Newchannel', FIRST);
      bed.client.lose();
      bed.client.logIn();
      assert.deepEqual(code(await dialled.result), UNKNOWN);
    });

    it('knows of a message what its script knows', async () => {
      const dialled = bed.dial(autocallOrder(), ID);
      await breathe();
      agentAnswers(bed);
      bed.client.lose();
      bed.script.results.set(ID, { heard: 1, of: 2, confirmed: false, machine: false });
      bed.client.logIn();
      assert.deepEqual(code(await dialled.result), ['heard-partly', 'yes', undefined]);
    });

    it('hangs up a call that begins when its time is over', async () => {
      const dialled = bed.dial(clickOrder({ expiresAt: bed.clock.now() + 30_000 }), ID);
      await breathe();
      bed.clock.advance(30_000);
      bed.client.event('Newchannel', FIRST);
      assert.deepEqual(bed.client.actions, ['Originate', 'Hangup']);
      hangUp(bed);
      assert.deepEqual(code(await dialled.result), ['failed', 'no', 'LINE_TOO_LATE']);
    });
  });

  describe('what an earlier process began', () => {
    const attempt = (id: string): Attempt => attemptOf(clickOrder(), id);
    interface TakenUp {
      readonly phases: [string, AttemptPhase][];
      readonly results: [string, unknown][];
      readonly done: Promise<void>;
    }
    function takeUp(attempts: readonly Attempt[]): TakenUp {
      const phases: TakenUp['phases'] = [];
      const results: TakenUp['results'] = [];
      const done = bed.line.takeUp(
        attempts,
        (one, phase) => phases.push([one.channelId, phase]),
        (one, result) => results.push([one.channelId, code(result)]),
      );
      return { phases, results, done };
    }

    it('is followed when it is alive, and settled when it is gone', async () => {
      const gone = 'tcrm-abcdefgh-2-1';
      bed.client.rows = () => [row({ ...FIRST, ...UP, BridgeId: '' })];
      const { phases, results, done } = takeUp([attempt(ID), attempt(gone)]);
      await done;
      assert.deepEqual(phases, [
        [ID, 'dialing'],
        [ID, 'agent-answered'],
      ]);
      assert.deepEqual(results, [[gone, UNKNOWN]]);
      clientAnswers(bed);
      hangUp(bed);
      await breathe();
      assert.deepEqual(results.at(-1), [ID, ['answered', 'yes', undefined]]);
    });

    it('is told to whoever takes it up though it is followed already', async () => {
      const dialled = await dialClick(bed);
      const results: AttemptResult[] = [];
      await bed.line.takeUp(
        [attemptOf(clickOrder(), ID)],
        () => undefined,
        (_attempt, result) => results.push(result),
      );
      agentAnswers(bed);
      clientAnswers(bed);
      hangUp(bed);
      assert.deepEqual(results, [await dialled.result]);
      assert.deepEqual(bed.client.actions, ['Originate']);
    });

    it('waits for the link', async () => {
      bed.client.lose();
      const { results, done } = takeUp([attempt(ID)]);
      await breathe();
      assert.deepEqual(results, []);
      bed.client.logIn();
      await done;
      assert.deepEqual(results, [[ID, UNKNOWN]]);
    });

    it('is hung up when it began after its time was over, and only then', async () => {
      const expired = (id: string): Attempt => attemptOf(clickOrder({ expiresAt: bed.clock.now() - 5000 }), id);
      const inTime = 'tcrm-abcdefgh-2-1';
      bed.client.rows = () => [
        row({ ...FIRST, ...RINGING, Duration: '00:00:03' }),
        row({ Channel: 'PJSIP/102-1', Uniqueid: inTime, Linkedid: inTime, ...UP, Duration: '00:00:05' }),
      ];
      const { results, done } = takeUp([expired(ID), expired(inTime)]);
      await done;
      assert.deepEqual(
        bed.client.sent.flatMap(({ action, headers }) => (action === 'Hangup' ? [headers?.Channel] : [])),
        [ID],
      );
      hangUp(bed);
      await breathe();
      assert.deepEqual(results, [[ID, ['failed', 'no', 'LINE_TOO_LATE']]]);
    });

    it('is nothing when there is nothing', () => takeUp([]).done);

    it('follows a click whose Local channel was optimised away', async () => {
      bed.client.rows = () => [
        row({ ...CLIENT, ...UP, BridgeId: 'b1' }),
        row({ Channel: 'PJSIP/101-0000000a', Uniqueid: '1795203579.100', Linkedid: ID, ...UP, BridgeId: 'b1' }),
      ];
      const { results, done } = takeUp([attempt(ID)]);
      await done;
      assert.deepEqual(results, []);
      hangUp(bed, '16', CLIENT);
      await breathe();
      assert.deepEqual(results, [[ID, ['answered', 'yes', undefined]]]);
    });

    it('stays in the air when this process ends too', async () => {
      bed.client.rows = () => [row(FIRST)];
      const { results, done } = takeUp([attempt(ID)]);
      await done;
      await bed.line.close();
      await breathe();
      assert.deepEqual([results, bed.client.actions], [[], ['CoreShowChannels']]);
    });
  });

  it('ends its tries as unknown for this process when it is closed, and hangs nothing up', async () => {
    const dialled = await dialClick(bed);
    agentAnswers(bed);
    await bed.line.close();
    assert.deepEqual(code(await dialled.result), ['failed', 'unknown', 'LINE_CLOSED']);
    assert.deepEqual(bed.client.actions, ['Originate']);
    assert.deepEqual(code(await bed.dial(clickOrder(), ID).result), ['failed', 'not-sent', 'LINE_CLOSED']);
  });

  it('goes on when the one who is told fails', async () => {
    const result = bed.line.dial(attemptOf(clickOrder(), ID), () => {
      throw new Error('a mistake of somebody else');
    });
    await breathe();
    agentAnswers(bed);
    clientAnswers(bed);
    hangUp(bed);
    assert.equal((await result).outcome, 'answered');
    assert.match(bed.warnings[0] ?? '', /a mistake of somebody else/);
  });

  it('serves 256 tries with the same subscriptions as one', async () => {
    const before = bed.client.subscriptions;
    const all = Array.from({ length: 256 }, (_, index) => bed.dial(plainOrder(), `tcrm-abcdefgh-${index}-1`));
    await breathe();
    assert.equal(bed.client.subscriptions, before);
    all.forEach((_, index) => {
      const id = `tcrm-abcdefgh-${index}-1`;
      bed.client.event('Newchannel', { Channel: `PJSIP/x-${index}`, Uniqueid: id, Linkedid: id });
      hangUp(bed, '17', { Uniqueid: id, Linkedid: id });
    });
    const results = await Promise.all(all.map(({ result }) => result));
    assert.ok(results.every(({ outcome }) => outcome === 'busy'));
  });
});

describe('channels of orders that are over', () => {
  const inAir = new Set(['1-1']);
  let name = 'abcdefgh';
  const orders: OrdersInAir = {
    isOver: (store, orderId, attempt) => Promise.resolve(store === name && !inAir.has(`${orderId}-${attempt}`)),
  };
  const hungUp = ({ client }: LineBed) =>
    client.sent.flatMap(({ action, headers }) => (action === 'Hangup' ? [headers?.Channel] : []));

  it('are hung up when they are found, those in the air are not, whoever dials them', async () => {
    const bed = lineBed({ orders });
    const uniqueid = (id: string) => row({ Channel: 'PJSIP/x', Uniqueid: id, Linkedid: id });
    bed.client.rows = () =>
      ['tcrm-abcdefgh-1-1', 'tcrm-abcdefgh-1-2', 'tcrm-abcdefgh-1-2;2', 'tcrm-other000-3-1', '1795203579.1'].map(
        uniqueid,
      );
    bed.client.logIn();
    await breathe();
    await breathe();
    assert.deepEqual(new Set(hungUp(bed)), new Set(['tcrm-abcdefgh-1-2']));
    assert.ok(bed.warnings.includes('LINE_STRAY'));
    await bed.line.close();
  });

  it('are hung up when they come: a PBX that thaws carries out what nobody waits for any more', async () => {
    const bed = lineBed({ orders });
    bed.client.answers.set('Originate', timeout);
    const dialled = bed.dial(clickOrder(), 'tcrm-abcdefgh-7-1');
    await breathe();
    assert.deepEqual(code(await dialled.result), UNKNOWN);
    bed.client.event('Newchannel', { Channel: 'PJSIP/101-1', Uniqueid: 'tcrm-abcdefgh-7-1', Linkedid: 'x' });
    await breathe();
    assert.deepEqual(hungUp(bed), ['tcrm-abcdefgh-7-1']);
    await bed.line.close();
  });

  it('are those of the name that the store has now: what is in the air under an older one is left alone', async () => {
    const bed = lineBed({ orders });
    const come = async (id: string): Promise<void> => {
      bed.client.event('Newchannel', { Channel: 'PJSIP/101-1', Uniqueid: id, Linkedid: id });
      await breathe();
    };
    name = 'zyxwvuts';
    await come('tcrm-abcdefgh-7-1');
    await come('tcrm-zyxwvuts-7-1');
    name = 'abcdefgh';
    assert.deepEqual(hungUp(bed), ['tcrm-zyxwvuts-7-1']);
    await bed.line.close();
  });

  it('are left alone when the store cannot be asked', async () => {
    const bed = lineBed({ orders: { isOver: () => Promise.reject(new Error('disk')) } });
    await breathe();
    bed.client.event('Newchannel', { Channel: 'PJSIP/101-1', Uniqueid: 'tcrm-abcdefgh-7-1', Linkedid: 'x' });
    await breathe();
    assert.deepEqual(hungUp(bed), []);
    await bed.line.close();
  });
});
