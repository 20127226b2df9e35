import assert from 'node:assert/strict';
import type { Attempt, AttemptPhase, AttemptResult, ClickOrder, DialLine, Order } from '../../../lib/dialer/types';
import { finesseError, unreachableError } from '../../../lib/finesse/errors';
import { createFinesseLine } from '../../../lib/finesse/line';
import { silentLog } from '../../../lib/log';
import { FakeClock } from '../../support/fake-clock';
import { FakeFinesse, timeout } from './support/fake-client';

const agents = [
  { extension: '1001', login: 'anna', password: 'anna-Secret' },
  { extension: '1002', login: 'boris', password: 'boris-Secret' },
];

describe('click-to-call over Finesse', () => {
  let clock: FakeClock;
  let finesse: FakeFinesse;
  let line: DialLine;
  let warned: string[];
  let phases: AttemptPhase[];
  let result: AttemptResult | undefined;
  let tries: number;

  const newLine = (): DialLine =>
    createFinesseLine({
      client: finesse,
      agents,
      addressOf: ({ number }) => number,
      clock,
      log: { ...silentLog, warn: (what) => warned.push(typeof what === 'string' ? what : what.code) },
    });

  beforeEach(async () => {
    clock = new FakeClock();
    finesse = new FakeFinesse();
    warned = [];
    phases = [];
    result = undefined;
    tries = 0;
    line = newLine();
    await clock.advanceAsync(0);
  });

  afterEach(async () => {
    await line.close();
    await clock.advanceAsync(0);
    assert.equal(clock.running, 0, 'timers are left');
    assert.ok(finesse.isClosed);
  });

  const click = (extension = '1001', number = '89031234567'): ClickOrder => ({
    mode: 'click',
    extension,
    number,
    expiresAt: clock.now() + 60_000,
    priority: 5,
    tries: 1,
    periodMs: 1000,
    variables: {},
  });

  const attempt = (order: Order = click()): Attempt => {
    tries += 1;
    return {
      orderId: tries,
      try: 1,
      channelId: `tcrm-1-${tries}-1`,
      startedAt: clock.now(),
      dialBefore: order.expiresAt,
      order,
    };
  };

  /** Dials and gives what {@link result} and {@link phases} will tell. */
  const dial = async (one: Attempt = attempt()): Promise<Attempt> => {
    void line
      .dial(one, (phase) => phases.push(phase))
      .then((ended) => {
        result = ended;
      });
    await clock.advanceAsync(0);
    return one;
  };
  const seconds = (count: number): Promise<void> => clock.advanceAsync(count * 1000);
  const ended = (): AttemptResult => {
    assert.ok(result, 'the try is not over');
    return result;
  };

  it('follows a call from the order to its end', async () => {
    await dial();
    assert.deepEqual([finesse.asked.makeCall, phases], [1, ['dialing']]);
    finesse.move('INITIATED', 'INITIATED');
    await seconds(1);
    finesse.move('ALERTING', 'INITIATED', 'ALERTING');
    await seconds(1);
    assert.deepEqual(phases, ['dialing', 'agent-answered', 'client-ringing']);
    finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
    await seconds(1);
    const answeredAt = clock.now();
    await seconds(60);
    finesse.move('ACTIVE', 'HELD', 'ACTIVE');
    await seconds(60);
    assert.equal(result, undefined);
    finesse.gone();
    await seconds(5);
    assert.deepEqual(phases.at(-1), 'answered');
    const { outcome, reached, callId, endedAt, answeredAt: told } = ended();
    assert.deepEqual([outcome, reached, callId, told], ['answered', 'yes', 'd1', answeredAt]);
    assert.ok(endedAt - answeredAt >= 120_000 && endedAt - answeredAt <= 125_000);
  });

  it('asks once a second while the phone rings, and less often while people talk', async () => {
    await dial();
    finesse.move('ALERTING', 'INITIATED', 'ALERTING');
    const before = finesse.asked.dialogs;
    await seconds(30);
    assert.equal(finesse.asked.dialogs - before, 30);
    finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
    await seconds(20);
    const talking = finesse.asked.dialogs;
    await seconds(60);
    assert.equal(finesse.asked.dialogs - talking, 12);
  });

  it('takes a call for answered where the called side is no participant', async () => {
    await dial();
    finesse.move('ACTIVE', 'ACTIVE');
    await seconds(1);
    finesse.gone();
    await seconds(5);
    assert.equal(ended().outcome, 'answered');
  });

  for (const [word, outcome, code, errorCode] of [
    ['BUSY', 'busy', 17, undefined],
    ['BAD_DESTINATION', 'failed', 1, 'FINESSE_CALL_FAILED'],
    ['DEVICE_RESOURCE_NOT_AVAILABLE', 'failed', 47, 'FINESSE_CALL_FAILED'],
    ['OTHER', 'failed', undefined, 'FINESSE_CALL_FAILED'],
  ] as const) {
    it(`tells ${word} apart`, async () => {
      await dial();
      finesse.move('FAILED', 'FAILED', undefined, word);
      await seconds(1);
      const { cause, error, reached } = ended();
      assert.deepEqual([ended().outcome, reached, cause?.code, error?.code], [outcome, 'no', code, errorCode]);
    });
  }

  it('calls it no answer when the call is gone before the client was there', async () => {
    await dial();
    finesse.move('ALERTING', 'INITIATED', 'ALERTING');
    await seconds(20);
    finesse.gone();
    await seconds(1);
    assert.deepEqual([ended().outcome, ended().reached, ended().answeredAt], ['no-answer', 'no', undefined]);
  });

  it('says so when an accepted order becomes no call', async () => {
    finesse.onCall = () => undefined;
    await dial();
    await seconds(11);
    assert.deepEqual([ended().outcome, ended().reached, ended().error?.code], ['failed', 'no', 'FINESSE_NO_CALL']);
  });

  it('does not take another call of the agent for its own', async () => {
    finesse.begin('1001', '89031234567');
    finesse.move('ACTIVE', 'HELD', 'ACTIVE');
    finesse.onCall = () => {
      finesse.begin('1001', '84950000000');
      finesse.begin('89031234567', '1001');
    };
    await dial();
    await seconds(11);
    assert.equal(ended().error?.code, 'FINESSE_NO_CALL');
  });

  it('knows its call when CUCM took the prefix off', async () => {
    finesse.onCall = (from) => finesse.begin(from, '9031234567');
    await dial(attempt(click('1001', '989031234567')));
    finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
    await seconds(1);
    assert.equal(phases.at(-1), 'answered');
  });

  it('orders nothing while the agent is in another call', async () => {
    finesse.begin('84950000000', '1001');
    await dial();
    assert.deepEqual([ended().outcome, ended().reached, ended().error?.code], ['busy', 'no', 'FINESSE_AGENT_BUSY']);
    assert.equal(finesse.asked.makeCall, 0);
  });

  it('orders one call at a time for an agent, and lets others call', async () => {
    await dial();
    const second = await line.dial(attempt(), () => undefined);
    assert.equal(second.error?.code, 'FINESSE_AGENT_BUSY');
    void line.dial(attempt(click('1002')), () => undefined);
    await clock.advanceAsync(0);
    assert.equal(finesse.asked.makeCall, 2);
  });

  describe('objects', () => {
    const reasons: readonly (readonly [string, () => Order, string | undefined])[] = [
      ['to nothing that can be done', () => click(), undefined],
      ['to an unknown extension', () => click('1003'), 'FINESSE_NO_AGENT'],
      ['to a number that is none', () => click('1001', '*21*89031234567#'), 'FINESSE_BAD_NUMBER'],
      ['to markup in a number', () => click('1001', '1</toAddress><x>'), 'FINESSE_BAD_NUMBER'],
      ['to an agent who calls himself', () => click('1001', '1001'), 'FINESSE_OWN_NUMBER'],
      [
        'to an autocall',
        () => {
          const message = { files: ['hello'], detectMachine: false, triesOf: {}, timeZones: [], e164: '+79031234567' };
          return { ...click(), ...message, mode: 'autocall' };
        },
        'FINESSE_ONLY_CLICKS',
      ],
    ];
    for (const [what, order, code] of reasons) {
      it(what, async () => {
        assert.equal(line.objection(order())?.code, code);
        if (code === undefined) return;
        await dial(attempt(order()));
        assert.deepEqual([ended().reached, ended().error?.code, finesse.asked.dialogs], ['no', code, 0]);
      });
    }
  });

  describe('when Finesse refuses', () => {
    it('leaves an agent alone for five minutes whose password is wrong', async () => {
      finesse.failures.set('dialogs', finesseError('FINESSE_PASSWORD', { host: 'h', login: 'anna' }));
      await dial();
      assert.deepEqual([ended().outcome, ended().reached, ended().error?.code], ['failed', 'no', 'FINESSE_PASSWORD']);
      assert.equal(line.objection(click())?.code, 'FINESSE_PASSWORD');
      await dial();
      assert.equal(finesse.asked.dialogs, 1);
      assert.equal(line.objection(click('1002')), undefined);
      await seconds(301);
      assert.equal(line.objection(click()), undefined);
    });

    it('tells its words, and that the client was not called', async () => {
      const refused = finesseError('FINESSE_REFUSED', { host: 'h', status: 400, words: 'Invalid Input' });
      finesse.failures.set('makeCall', refused);
      await dial();
      assert.deepEqual([ended().reached, ended().error?.code], ['no', 'FINESSE_REFUSED']);
    });

    it('does not count a try that came to a server out of service', async () => {
      finesse.failures.set('makeCall', finesseError('FINESSE_OUT_OF_SERVICE', { host: 'h' }));
      await dial();
      assert.equal(ended().reached, 'not-sent');
    });
  });

  describe('when the link fails', () => {
    it('before the order, nothing was sent', async () => {
      finesse.failures.set('dialogs', timeout);
      await dial();
      assert.deepEqual(
        [ended().reached, ended().error?.code, finesse.asked.makeCall],
        ['not-sent', 'FINESSE_TIMEOUT', 0],
      );
    });

    it('in the order, the call is looked for and followed', async () => {
      finesse.failures.set('makeCall', timeout);
      await dial();
      finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
      await seconds(1);
      finesse.gone();
      await seconds(5);
      assert.equal(ended().outcome, 'answered');
      assert.equal(finesse.asked.makeCall, 1);
    });

    it('in the order, and no call begins: nobody knows', async () => {
      finesse.failures.set('makeCall', timeout);
      finesse.onCall = () => undefined;
      await dial();
      await seconds(11);
      assert.deepEqual([ended().outcome, ended().reached], ['failed', 'unknown']);
    });

    for (const [why, reached] of [
      ['refused', 'not-sent'],
      ['dns', 'not-sent'],
      ['reset', 'unknown'],
      ['connect-timeout', 'unknown'],
    ] as const) {
      it(`in the order (${why}): ${reached}`, async () => {
        finesse.failures.set('makeCall', unreachableError('h', why, 'E'));
        await dial();
        await seconds(11);
        assert.equal(ended().reached, reached);
      });
    }

    it('while it rings, and the call is gone afterwards: nobody knows', async () => {
      await dial();
      finesse.move('ALERTING', 'INITIATED', 'ALERTING');
      await seconds(2);
      finesse.failures.set('dialogs', timeout);
      await seconds(20);
      finesse.gone();
      finesse.failures.clear();
      await seconds(5);
      const { outcome, reached, error } = ended();
      assert.deepEqual([outcome, reached, error?.code], ['failed', 'unknown', 'FINESSE_LINK_LOST']);
    });

    it('while it rings, and it still rings afterwards: it is followed on', async () => {
      await dial();
      finesse.move('ALERTING', 'INITIATED', 'ALERTING');
      await seconds(2);
      finesse.failures.set('dialogs', timeout);
      await seconds(20);
      finesse.failures.clear();
      await seconds(5);
      finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
      await seconds(1);
      finesse.gone();
      await seconds(5);
      assert.deepEqual([ended().outcome, ended().reached], ['answered', 'yes']);
    });

    it('for a minute: the try is given up, and an answered one stays answered', async () => {
      await dial();
      await seconds(1);
      finesse.failures.set('dialogs', timeout);
      await seconds(70);
      assert.deepEqual([ended().outcome, ended().reached], ['failed', 'unknown']);
      finesse.failures.clear();
      finesse.dialogList = [];
      result = undefined;
      await dial();
      finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
      await seconds(1);
      finesse.failures.set('dialogs', timeout);
      await seconds(70);
      assert.deepEqual([ended().outcome, ended().reached], ['answered', 'yes']);
    });
  });

  it('does not order a call that expired while Finesse was slow', async () => {
    const order = { ...click(), expiresAt: clock.now() + 3000 };
    const answer = finesse.dialogs.bind(finesse);
    finesse.dialogs = async (agent) => {
      await new Promise<void>((resolve) => clock.after(4000, resolve));
      return answer(agent);
    };
    await dial(attempt(order));
    await seconds(4);
    assert.deepEqual([ended().reached, finesse.asked.makeCall], ['not-sent', 0]);
  });

  for (const tellsTime of [true, false]) {
    it(`hangs a call up that Finesse began too late${tellsTime ? '' : ' and does not say when'}`, async () => {
      finesse.failures.set('makeCall', timeout);
      finesse.failures.set('dialogs', timeout);
      finesse.onCall = () => undefined;
      const expiresAt = clock.now() + 8000;
      finesse.failures.delete('dialogs');
      await dial(attempt({ ...click(), expiresAt }));
      finesse.failures.set('dialogs', timeout);
      await seconds(20);
      finesse.failures.clear();
      if (tellsTime) finesse.servedAt = () => clock.now();
      finesse.begin('1001', '89031234567', ...(tellsTime ? [clock.now()] : []));
      await seconds(10);
      assert.deepEqual(finesse.dialogList, []);
      assert.deepEqual(
        [ended().outcome, ended().reached, ended().error?.code],
        ['failed', 'unknown', 'FINESSE_TOO_LATE'],
      );
    });
  }

  it('leaves a call alone that began in time, though it is seen only later', async () => {
    finesse.servedAt = () => clock.now();
    finesse.onCall = (from, to) => finesse.begin(from, to, clock.now());
    await dial(attempt({ ...click(), expiresAt: clock.now() + 2000 }));
    finesse.failures.set('dialogs', timeout);
    await seconds(5);
    finesse.failures.clear();
    await seconds(5);
    assert.equal(finesse.dialogList.length, 1);
    finesse.gone();
    await seconds(5);
  });

  describe('cancelled', () => {
    it('while it rings, it is dropped', async () => {
      const { channelId } = await dial();
      finesse.move('ALERTING', 'INITIATED', 'ALERTING');
      await seconds(1);
      line.cancel(channelId);
      await seconds(2);
      assert.deepEqual([ended().outcome, ended().reached, finesse.asked.drop], ['cancelled', 'no', 1]);
    });

    it('while people talk, it is dropped at once, and was reached', async () => {
      const { channelId } = await dial();
      finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
      await seconds(60);
      line.cancel(channelId);
      await clock.advanceAsync(0);
      assert.equal(finesse.asked.drop, 1);
      await seconds(1);
      assert.deepEqual([ended().outcome, ended().reached], ['cancelled', 'yes']);
    });

    it('before the order, nothing is ordered', async () => {
      const one = attempt();
      const dialled = line.dial(one, () => undefined);
      line.cancel(one.channelId);
      assert.deepEqual([(await dialled).outcome, finesse.asked.makeCall], ['cancelled', 0]);
    });

    it('again and again, until it is gone', async () => {
      const { channelId } = await dial();
      finesse.failures.set('drop', timeout);
      await seconds(1);
      line.cancel(channelId);
      await seconds(3);
      assert.ok(finesse.asked.drop > 1);
      finesse.failures.clear();
      await seconds(2);
      assert.equal(ended().outcome, 'cancelled');
    });
  });

  describe('after a restart', () => {
    const taken = async (one: Attempt) => {
      let isKnown = false;
      void line
        .takeUp(
          [one],
          (_attempt, phase) => phases.push(phase),
          (_attempt, over) => (result = over),
        )
        .then(() => {
          isKnown = true;
        });
      await clock.advanceAsync(0);
      return () => isKnown;
    };

    it('follows a call that is still there', async () => {
      finesse.servedAt = () => clock.now() + 3_600_000;
      finesse.begin('1001', '89031234567', clock.now() + 3_600_000);
      finesse.move('ALERTING', 'INITIATED', 'ALERTING');
      const one = attempt();
      await seconds(15);
      const isKnown = await taken(one);
      assert.ok(isKnown());
      assert.deepEqual([phases, result], [['client-ringing'], undefined]);
      finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
      await seconds(1);
      finesse.gone();
      await seconds(5);
      assert.equal(ended().outcome, 'answered');
      assert.equal(finesse.asked.makeCall, 0);
    });

    it('does not take a later call to the same number for it', async () => {
      finesse.servedAt = () => clock.now();
      const one = attempt();
      await seconds(120);
      finesse.begin('1001', '89031234567', clock.now());
      const isKnown = await taken(one);
      assert.ok(isKnown());
      assert.deepEqual([ended().reached, ended().error?.code], ['unknown', 'FINESSE_NOT_FOUND']);
    });

    it('knows nothing of a call that is gone, or whose agent is', async () => {
      await taken(attempt());
      assert.equal(ended().reached, 'unknown');
      result = undefined;
      await taken(attempt(click('1009')));
      assert.equal(ended().reached, 'unknown');
    });

    it('waits for Finesse a while', async () => {
      finesse.begin('1001', '89031234567');
      finesse.failures.set('dialogs', timeout);
      const isKnown = await taken(attempt());
      await seconds(10);
      assert.deepEqual([isKnown(), result], [false, undefined]);
      finesse.failures.clear();
      await seconds(5);
      assert.deepEqual([isKnown(), result], [true, undefined]);
    });

    it('of one node only, its try is followed on by the same line', async () => {
      const one = await dial();
      finesse.move('ALERTING', 'INITIATED', 'ALERTING');
      await seconds(1);
      const isKnown = await taken(one);
      assert.ok(isKnown());
      finesse.move('ACTIVE', 'ACTIVE', 'ACTIVE');
      await seconds(1);
      finesse.gone();
      await seconds(5);
      assert.equal(ended().outcome, 'answered');
      assert.equal(finesse.asked.makeCall, 1);
    });
  });

  it('leaves a call in the air when it is closed, and tells no result', async () => {
    await dial();
    await seconds(2);
    await line.close();
    await seconds(100);
    assert.deepEqual([result, finesse.asked.drop], [undefined, 0]);
  });

  it('survives listeners that throw', async () => {
    line.onReady(() => {
      throw new Error('first');
    });
    void line.dial(attempt(), () => {
      throw new Error('second');
    });
    await clock.advanceAsync(0);
    finesse.failures.set('check', timeout);
    await seconds(11);
    finesse.gone();
    await seconds(2);
    assert.deepEqual(warned, ['second', 'FINESSE_TIMEOUT', 'first']);
    finesse.failures.clear();
    await seconds(5);
    await dial();
    assert.equal(finesse.asked.makeCall, 2);
  });

  it('tells whether Finesse is in service, and logs each change once', async () => {
    const told: boolean[] = [];
    const forget = line.onReady((isReady) => told.push(isReady));
    assert.ok(line.isReady);
    finesse.failures.set('check', finesseError('FINESSE_OUT_OF_SERVICE', { host: 'h' }));
    await seconds(60);
    assert.ok(!line.isReady);
    await dial();
    assert.deepEqual([ended().reached, ended().error?.code], ['not-sent', 'FINESSE_OUT_OF_SERVICE']);
    finesse.failures.clear();
    await seconds(6);
    assert.deepEqual(told, [false, true]);
    assert.deepEqual(warned, ['FINESSE_OUT_OF_SERVICE']);
    forget();
    forget();
    finesse.failures.set('check', timeout);
    await seconds(11);
    assert.deepEqual(told, [false, true]);
  });
});
