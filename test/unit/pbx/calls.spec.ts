import assert from 'node:assert/strict';
import { amiError } from '../../../lib/ami/errors';
import type { TelephonyError } from '../../../lib/errors';
import { createCallTracker } from '../../../lib/calls';
import { silentLog } from '../../../lib/log';
import type { PbxMessage } from '../../../lib/messages/types';
import { numberingPlan } from '../../../lib/phone';
import { createPbxCalls } from '../../../lib/pbx/calls';
import type { OwnedPbxCalls, PbxCallsOptions } from '../../../lib/pbx/calls';
import { storeError } from '../../../lib/store/errors';
import type { LiveCall, LiveCallTable, UnkeptCall } from '../../../lib/store/types';
import { amiEvent } from '../../support/ami-messages';
import { FakeClock } from '../../support/fake-clock';
import { FakeLink } from './support/fake-link';
import { FakeTracker } from './support/fake-tracker';

/** The table of calls under way, without a disk. */
class FakeTable implements LiveCallTable {
  rows = new Map<string, { state: string; savedAt: number }>();
  failure: Error | undefined;
  saves = 0;
  /** The one call that is too large. */
  tooLarge: string | undefined;
  readonly keys = new Set<string>();

  constructor(private readonly clock: FakeClock) {}

  async save(key: string, changed: readonly LiveCall[], forgotten: readonly string[]): Promise<readonly UnkeptCall[]> {
    this.saves++;
    this.keys.add(key);
    await Promise.resolve();
    if (this.failure) throw this.failure;
    const fits = ({ callId }: LiveCall): boolean => callId !== this.tooLarge;
    for (const { callId, state } of changed.filter(fits)) this.rows.set(callId, { state, savedAt: this.clock.now() });
    for (const callId of forgotten) this.rows.delete(callId);
    const error = storeError('STORE_TOO_LARGE', { what: 'state', bytes: 2, limit: 1 });
    return changed.filter((call) => !fits(call)).map(({ callId }) => ({ callId, error }));
  }

  load(key: string): Promise<{ callId: string; state: string; savedAt: number }[]> {
    this.keys.add(key);
    if (this.failure) return Promise.reject(this.failure);
    return Promise.resolve([...this.rows].map(([callId, row]) => ({ callId, ...row })));
  }
}

describe('the calls of a PBX', () => {
  let clock: FakeClock;
  let link: FakeLink;
  let trackers: FakeTracker[];
  let problems: TelephonyError[];
  let calls: OwnedPbxCalls;
  let told: PbxMessage[];
  let table: FakeTable;

  const make = (more: Partial<PbxCallsOptions> = {}): OwnedPbxCalls => {
    const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
    calls = createPbxCalls(
      { pbx: 'office', plan, mayHear: true, ...more },
      {
        client: link,
        clock,
        log: silentLog,
        onProblem: (problem) => problems.push(problem),
        createTracker: () => {
          trackers.push(new FakeTracker());
          return trackers.at(-1)!;
        },
      },
    );
    return calls;
  };
  const hear = (into: PbxMessage[] = told) => calls.subscribe((message) => into.push(message));
  const settle = (ms = 0): Promise<void> => clock.advanceAsync(ms);
  const tracker = (): FakeTracker => trackers.at(-1)!;
  const ids = (messages: readonly PbxMessage[] = told): string[] => messages.map(({ payload }) => payload.eventId);
  const ring = (callId: string): void => link.hear('Newchannel', { Uniqueid: callId });

  beforeEach(() => {
    clock = new FakeClock();
    link = new FakeLink();
    table = new FakeTable(clock);
    [trackers, problems, told] = [[], [], []];
  });
  afterEach(async () => {
    await calls.close();
    assert.equal(link.listening, 0);
    assert.equal(clock.running, 0);
  });

  it('cost nothing until somebody subscribes, and nothing after the last one left', async () => {
    make();
    link.up();
    await settle();
    assert.deepEqual([link.listening, link.asked, trackers.length], [0, [], 0]);
    const end = hear();
    const endOther = hear([]);
    await settle();
    ring('1');
    assert.deepEqual(ids(), ['call_ringing 1']);
    end();
    assert.ok(link.listening > 0);
    endOther();
    await settle();
    assert.deepEqual([link.listening, clock.running, calls.stats.liveCalls], [0, 0, 0]);
  });

  it('that are under way when somebody subscribes are taken up, without a gap', async () => {
    make();
    link.channels = [amiEvent('CoreShowChannel', { Uniqueid: '7' })];
    link.up();
    hear();
    await settle();
    assert.deepEqual(tracker().diary, ['begin', 'resync 7']);
    assert.deepEqual(ids(), ['call_ringing 7']);
  });

  it('are told in order: what comes while a session opens waits for its begin', async () => {
    make();
    hear();
    link.up();
    ring('1');
    assert.deepEqual(tracker().diary, []);
    await settle();
    assert.deepEqual(tracker().diary, ['begin', 'Newchannel', 'resync ']);
  });

  it('are woken when they want to be, by a clock that does not jump', async () => {
    make();
    hear();
    link.up();
    await settle();
    ring('1');
    link.hear('Hangup', { Uniqueid: '1' });
    clock.jumpWall(-3_600_000);
    await settle(999);
    assert.deepEqual(ids(), ['call_ringing 1', 'call_hangup 1']);
    await settle(1);
    assert.deepEqual(ids(), ['call_ringing 1', 'call_hangup 1', 'call_record 1']);
  });

  it('give a gap first, then what was found, after the link was away', async () => {
    make();
    hear();
    link.up();
    await settle();
    ring('1');
    ring('2');
    await settle(1000);
    const lostAt = clock.now();
    link.down();
    await settle(5000);
    told.length = 0;
    link.channels = [amiEvent('CoreShowChannel', { Uniqueid: '2' })];
    link.up();
    await settle();
    assert.deepEqual(told[0], {
      topic: 'gap',
      payload: {
        eventId: `office:gap:${lostAt}`,
        pbx: 'office',
        from: '2026-01-01T00:00:01.000Z',
        to: '2026-01-01T00:00:06.000Z',
        restarted: false,
      },
    });
    assert.deepEqual(ids().slice(1), ['call_hangup 1']);
    assert.deepEqual(tracker().diary.slice(-3), [`lost ${lostAt}`, 'begin', 'resync 2']);
  });

  it('count a silent link as lost since it was last heard', async () => {
    make();
    hear();
    link.up();
    await settle(2000);
    ring('1');
    await settle(12_000);
    link.down(amiError('AMI_SILENT', { place: 'pbx', ms: 5000 }));
    link.channels = [amiEvent('CoreShowChannel', { Uniqueid: '1' })];
    link.up();
    await settle();
    assert.equal(told[1]?.topic === 'gap' && told[1].payload.from, '2026-01-01T00:00:02.000Z');
  });

  for (const [how, happen] of [
    ['says so before it goes', () => link.hear('Shutdown')],
    ['says so afterwards', () => (link.startup = '2026-01-01 12:00:00')],
  ] as const) {
    it(`know that Asterisk was started anew when it ${how}`, async () => {
      make();
      hear();
      link.up();
      await settle();
      happen();
      link.down();
      link.up();
      await settle();
      assert.equal(told[0]?.topic === 'gap' && told[0].payload.restarted, true);
      assert.ok(tracker().diary.includes('begin anew'));
      link.down();
      link.up();
      await settle();
      assert.equal(told[1]?.topic === 'gap' && told[1].payload.restarted, false);
    });
  }

  it('say which permission is missing for the list of channels, and do not ask again', async () => {
    make();
    hear();
    link.channels = amiError('AMI_ACTION_FAILED', {
      place: 'x',
      action: 'CoreShowChannels',
      message: 'Permission denied',
    });
    link.startup = undefined;
    link.up();
    await settle(120_000);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['PBX_CALLS_DENIED'],
    );
    assert.match(problems[0]!.textIn('ru'), /«reporting» в write=/);
    ring('1');
    assert.deepEqual(ids(), ['call_ringing 1']);
  });

  it('ask for the list of channels again after any other failure', async () => {
    make();
    hear();
    link.channels = amiError('AMI_TIMEOUT', { place: 'x', action: 'CoreShowChannels', ms: 10_000 });
    link.up();
    await settle();
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['PBX_CALLS_FAILED'],
    );
    link.channels = [];
    await settle(5000);
    assert.equal(tracker().diary.at(-1), 'resync ');
  });

  it('are compared anew when somebody tampered with the stream, every five seconds at most', async () => {
    make();
    hear();
    link.up();
    await settle();
    for (let step = 0; step < 10; step++) {
      link.stats.tampered++;
      tracker().stats.tampered++;
      await settle(500);
    }
    assert.equal(link.asked.filter((action) => action === 'CoreShowChannels').length, 2);
    await settle(60_000);
    assert.equal(link.asked.filter((action) => action === 'CoreShowChannels').length, 2);
  });

  it('tell the operator once that some are left out, because there are too many', async () => {
    make();
    hear();
    link.up();
    await settle();
    for (let step = 0; step < 3; step++) {
      tracker().stats.overBound++;
      await settle(5000);
    }
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['PBX_CALLS_TOO_MANY'],
    );
  });

  it('say at once that the settings keep their events out', async () => {
    make({ mayHear: false });
    assert.deepEqual(problems, []);
    hear();
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['PBX_CALLS_DEAF'],
    );
    await settle();
  });

  describe('and their subscribers', () => {
    it('miss nothing while they are redeployed, in the right order', async () => {
      make();
      const end = calls.subscribe((message) => told.push(message), 'node 1');
      link.up();
      await settle();
      ring('1');
      end(true);
      ring('2');
      calls.subscribe((message) => told.push(message), 'node 1');
      ring('3');
      assert.deepEqual(ids(), ['call_ringing 1']);
      await settle();
      ring('4');
      assert.deepEqual(ids(), ['call_ringing 1', 'call_ringing 2', 'call_ringing 3', 'call_ringing 4']);
      assert.equal(trackers.length, 1);
    });

    it('are forgotten when they do not come back within a minute', async () => {
      make();
      const end = calls.subscribe(() => undefined, 'node 1');
      link.up();
      await settle();
      end(true);
      await settle(59_000);
      assert.ok(link.listening > 0);
      await settle(1000);
      assert.equal(link.listening, 0);
    });

    it('lose the oldest when far too much happens while they are away', async () => {
      make();
      const end = calls.subscribe(() => undefined, 'node 1');
      link.up();
      await settle();
      end(true);
      for (let n = 1; n <= 10_003; n++) ring(String(n));
      calls.subscribe((message) => told.push(message), 'node 1');
      await settle();
      assert.deepEqual([told.length, ids()[0]], [10_000, 'call_ringing 4']);
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['PBX_CALLS_DROPPED'],
      );
    });

    it('do not harm each other', async () => {
      make();
      calls.subscribe(() => {
        throw new Error('a flow failed');
      });
      hear();
      link.up();
      await settle();
      ring('1');
      assert.deepEqual(ids(), ['call_ringing 1']);
    });

    it('hear how many calls there are, once a second at most', async () => {
      make();
      hear();
      const counts: number[] = [];
      const end = calls.onLiveCalls((count) => counts.push(count));
      link.up();
      await settle();
      for (const callId of ['1', '2', '3']) ring(callId);
      await settle(1000);
      link.hear('Hangup', { Uniqueid: '1' });
      await settle(1000);
      end();
      assert.deepEqual(counts, [3, 2]);
    });
  });

  describe('that are kept for a restart', () => {
    const started = async (): Promise<void> => {
      make({ live: { table, key: 'node 1' } });
      calls.open();
      hear();
      link.up();
      await settle();
    };

    it('are on disk a quarter of a second after they changed, and leave it ten seconds after they are over', async () => {
      await started();
      ring('1');
      await settle(250);
      assert.deepEqual([...table.rows.keys()], ['1']);
      link.hear('Hangup', { Uniqueid: '1' });
      await settle(1250);
      assert.equal(told.at(-1)?.topic, 'call_record');
      await settle(9000);
      assert.deepEqual([...table.rows.keys()], ['1']);
      assert.deepEqual([...table.keys], ['node 1']);
      await settle(2000);
      assert.deepEqual([...table.rows.keys()], []);
      const { saves } = table;
      await settle(60_000);
      assert.equal(table.saves, saves);
    });

    it('are taken up by the next process before its first session, with a gap from the last word of them', async () => {
      await started();
      ring('1');
      ring('2');
      await calls.close();
      assert.deepEqual([...table.rows.keys()], ['1', '2']);
      link.down();
      await settle(30_000);
      told = [];
      link.channels = [amiEvent('CoreShowChannel', { Uniqueid: '2' })];
      await started();
      assert.deepEqual(told[0]?.topic === 'gap' && told[0].payload, {
        eventId: `office:gap:${Date.UTC(2026, 0, 1)}`,
        pbx: 'office',
        from: '2026-01-01T00:00:00.000Z',
        to: '2026-01-01T00:00:30.000Z',
        restarted: false,
      });
      assert.deepEqual(ids().slice(1), ['call_hangup 1']);
    });

    it('are over when Asterisk was started while nobody listened', async () => {
      table.rows.set('1', { state: '', savedAt: clock.now() });
      await settle(60_000);
      make({ live: { table, key: 'node 1' } });
      hear();
      link.up();
      link.hear('FullyBooted', { Uptime: '20' });
      await settle();
      assert.equal(told[0]?.topic === 'gap' && told[0].payload.restarted, true);
    });

    it('are taken up at once, and told to those who come within a minute', async () => {
      table.rows.set('1', { state: '', savedAt: clock.now() });
      make({ live: { table, key: 'node 1' } });
      calls.open();
      link.up();
      await settle(30_000);
      const second: PbxMessage[] = [];
      hear();
      hear(second);
      await settle();
      assert.deepEqual([ids(), ids(second)], [ids(), ids()]);
      assert.deepEqual(ids().slice(1), ['call_hangup 1', 'call_record 1']);
      await settle(60_000);
      assert.deepEqual([...table.rows.keys()], []);
    });

    it('of another version of the pack are left out, and the operator hears how many', async () => {
      table.rows.set('1', { state: 'of another version', savedAt: clock.now() });
      table.rows.set('2', { state: '', savedAt: clock.now() });
      link.channels = [amiEvent('CoreShowChannel', { Uniqueid: '2' })];
      await started();
      assert.deepEqual(
        problems.map(({ code, params }) => [code, params]),
        [['PBX_CALLS_UNREADABLE', { count: 1 }]],
      );
      assert.equal(calls.stats.liveCalls, 1);
    });

    it('are let be when nobody comes for them', async () => {
      table.rows.set('1', { state: '', savedAt: clock.now() });
      make({ live: { table, key: 'node 1' } });
      calls.open();
      link.up();
      await settle(61_000);
      assert.equal(link.listening, 0);
    });

    it('are kept beside one that is too large: the operator hears of that one once', async () => {
      await started();
      table.tooLarge = 'huge';
      ring('huge');
      ring('1');
      await settle(1000);
      ring('huge');
      ring('2');
      await settle(10_000);
      assert.deepEqual([...table.rows.keys()], ['1', '2']);
      assert.ok(table.saves <= 3, `${table.saves} tries`);
      const [problem, ...others] = problems;
      assert.deepEqual([problem?.code, others], ['PBX_CALL_NOT_KEPT', []]);
      assert.match(problem?.textIn('ru') ?? '', /Звонок huge «office».*state: 2 байт/);
    });

    it('are told all the same while the store fails: the operator hears of it once, and later all is kept', async () => {
      await started();
      table.failure = new Error('disk full');
      ring('1');
      await settle(60_000);
      ring('2');
      await settle(1000);
      assert.deepEqual(ids(), ['call_ringing 1', 'call_ringing 2']);
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['PBX_CALLS_NOT_KEPT'],
      );
      assert.ok(table.saves < 20, `${table.saves} tries`);
      table.failure = undefined;
      await settle(5000);
      assert.deepEqual([...table.rows.keys()], ['1', '2']);
    });

    it('are told again, as the same event, when the process was killed before the record was on any disk', async () => {
      const lives: PbxMessage[][] = [];
      // What is killed closes nothing: each life has a clock and a link of its own, and only the table in common.
      const live = async (act: (link: FakeLink, clock: FakeClock) => Promise<void>): Promise<OwnedPbxCalls> => {
        const [ownClock, ownLink, own] = [new FakeClock(clock.now()), new FakeLink(), [] as PbxMessage[]];
        lives.push(own);
        const plan = { numbers: numberingPlan({ country: 'RU' }), trunks: [], trunkContexts: [] };
        const one = createPbxCalls(
          { pbx: 'office', plan, mayHear: true, live: { table, key: 'node 1' } },
          {
            client: ownLink,
            clock: ownClock,
            log: silentLog,
            onProblem: (problem) => problems.push(problem),
            createTracker: createCallTracker,
          },
        );
        one.subscribe((message) => own.push(message));
        ownLink.up();
        await ownClock.advanceAsync(0);
        await act(ownLink, ownClock);
        return one;
      };
      const channel = { Channel: 'PJSIP/trunk-1', Uniqueid: '1.1', Linkedid: '1.1', Exten: '74951000001' };
      const killed = await live(async (ownLink, ownClock) => {
        const from = { ChannelState: '4', Context: 'from-trunk', CallerIDNum: '79031112233' };
        ownLink.hear('Newchannel', { ...channel, ...from });
        ownLink.hear('Hangup', { ...channel, Cause: '16' });
        await ownClock.advanceAsync(3000);
      });
      calls = await live((_link, ownClock) => ownClock.advanceAsync(20_000));
      const [before, after] = lives.map((messages) => messages.filter(({ topic }) => topic === 'call_record'));
      assert.equal(before!.length, 1);
      assert.deepEqual(ids(after), ids(before));
      assert.equal(table.rows.size, 0);
      await killed.close();
    });

    it('hold nothing up when the store never answers', async () => {
      table.load = () => new Promise(() => undefined);
      make({ live: { table, key: 'node 1' } });
      hear();
      link.up();
      await settle(5000);
      ring('1');
      assert.deepEqual(ids(), ['call_ringing 1']);
      table.save = () => new Promise(() => undefined);
      const closed = calls.close();
      await settle(1500);
      await closed;
    });
  });

  describe('and the states of extensions', () => {
    const of = (extension: string, state: 'not_inuse' | 'inuse' | 'ringing' | 'ringinuse' | 'unavailable') => ({
      extension,
      state,
      registered: state !== 'unavailable',
      doNotDisturb: false,
    });

    it('are told when the combined state is another, extensions only', async () => {
      make();
      hear();
      link.up();
      await settle();
      calls.presenceChanged([{ extension: '101', before: of('101', 'not_inuse'), after: of('101', 'ringing') }], 1000);
      calls.presenceChanged([{ extension: '101', before: of('101', 'ringing'), after: of('101', 'inuse') }], 2000);
      calls.presenceChanged([{ extension: '101', before: of('101', 'inuse'), after: of('101', 'ringinuse') }], 3000);
      calls.presenceChanged(
        [{ extension: 'trunk', before: of('trunk', 'inuse'), after: of('trunk', 'not_inuse') }],
        4000,
      );
      calls.presenceChanged([{ extension: '102', after: of('102', 'unavailable') }], 5000);
      calls.presenceChanged([{ extension: '102', before: of('102', 'not_inuse') }]);
      assert.deepEqual(
        told.map(({ payload }) => payload),
        [
          {
            eventId: 'office:user:101:1000:ringing',
            pbx: 'office',
            extension: '101',
            state: 'ringing',
            previous: 'idle',
            at: '1970-01-01T00:00:01.000Z',
          },
          {
            eventId: 'office:user:101:2000:busy',
            pbx: 'office',
            extension: '101',
            state: 'busy',
            previous: 'ringing',
            at: '1970-01-01T00:00:02.000Z',
          },
          {
            eventId: `office:user:102:${clock.now()}:offline`,
            pbx: 'office',
            extension: '102',
            state: 'offline',
            previous: 'idle',
            at: '2026-01-01T00:00:00.000Z',
            reconciled: true,
          },
        ],
      );
    });

    it('come after the gap in which they changed', async () => {
      make();
      hear();
      link.up();
      await settle();
      link.down();
      link.up();
      calls.presenceChanged([{ extension: '101', before: of('101', 'not_inuse'), after: of('101', 'inuse') }]);
      await settle();
      assert.deepEqual(
        told.map(({ topic }) => topic),
        ['gap', 'user_change'],
      );
    });
  });
});
