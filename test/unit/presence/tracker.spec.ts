import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createPresenceTracker } from '../../../lib/presence';
import type { PresenceTracker } from '../../../lib/presence/types';
import { amiEvent, recordedMessages } from '../../support/ami-messages';

const device = (name: string, state: string) => amiEvent('DeviceStateChange', { Device: name, State: state });
const hint = (extension: string, devices: string, status: string) =>
  amiEvent('ExtensionStatus', { Exten: extension, Context: 'ext-local', Hint: devices, Status: status });

/** A tracker that is ready and has heard these events in its lists. */
function ready(...items: ReturnType<typeof device>[]): PresenceTracker {
  const tracker = createPresenceTracker();
  tracker.begin();
  tracker.load(items);
  tracker.ready();
  return tracker;
}

/** `state` when the extension is fit, else the reason. */
const fitness = (tracker: PresenceTracker, extension: string, inUseIsFit = false) => {
  const availability = tracker.availability(extension, inUseIsFit);
  return availability.available ? availability.state : availability.reason;
};

describe('presence', () => {
  describe('of one phone', () => {
    const table: [state: string, fit: string, fitWithCallWaiting: string][] = [
      ['NOT_INUSE', 'not_inuse', 'not_inuse'],
      ['INUSE', 'in-use', 'inuse'],
      ['RINGING', 'in-use', 'ringing'],
      ['RINGINUSE', 'in-use', 'ringinuse'],
      ['ONHOLD', 'in-use', 'onhold'],
      ['BUSY', 'in-use', 'in-use'],
      ['UNAVAILABLE', 'not-registered', 'not-registered'],
      ['INVALID', 'not-registered', 'not-registered'],
      ['UNKNOWN', 'unknown-extension', 'unknown-extension'],
      ['SOMETHING_NEW', 'unknown-extension', 'unknown-extension'],
    ];
    for (const [state, fit, withCallWaiting] of table) {
      it(`${state}: ${fit}, with call waiting ${withCallWaiting}`, () => {
        const tracker = ready(device('PJSIP/101', state));
        assert.equal(fitness(tracker, '101'), fit);
        assert.equal(fitness(tracker, '101', true), withCallWaiting);
      });
    }

    it('whatever its technology, but no trunk of DAHDI and no Local channel', () => {
      const tracker = ready(
        device('SIP/101', 'NOT_INUSE'),
        device('IAX2/102', 'NOT_INUSE'),
        device('SCCP/103', 'NOT_INUSE'),
        device('DAHDI/104', 'NOT_INUSE'),
        device('Local/105@from-queue', 'NOT_INUSE'),
        device('Queue:600', 'NOT_INUSE'),
      );
      const known = ['101', '102', '103', '104', '105', '600'].filter(
        (one) => tracker.availability(one, false).available,
      );
      assert.deepEqual(known, ['101', '102', '103']);
    });

    it('of the technologies that the admin names', () => {
      const tracker = createPresenceTracker({ technologies: ['dahdi'] });
      tracker.begin();
      tracker.load([device('DAHDI/104', 'NOT_INUSE'), device('PJSIP/101', 'NOT_INUSE')]);
      tracker.ready();
      assert.equal(fitness(tracker, '104'), 'not_inuse');
      assert.equal(fitness(tracker, '101'), 'unknown-extension');
    });
  });

  describe('with do not disturb', () => {
    it('is unfit though the phone is idle, until it is switched off', () => {
      const tracker = ready(device('PJSIP/101', 'NOT_INUSE'), device('Custom:DND101', 'BUSY'));
      assert.equal(fitness(tracker, '101', true), 'do-not-disturb');
      tracker.apply(device('Custom:DND101', 'NOT_INUSE'));
      assert.equal(fitness(tracker, '101'), 'not_inuse');
      tracker.apply(device('Custom:DND101', 'INUSE'));
      assert.equal(fitness(tracker, '101'), 'do-not-disturb');
    });

    it('does not make an unregistered phone look registered, as the hint of FreePBX does', () => {
      const tracker = ready(
        hint('101', 'PJSIP/101&Custom:DND101,CustomPresence:101', '1'),
        device('PJSIP/101', 'UNAVAILABLE'),
        device('Custom:DND101', 'INUSE'),
      );
      assert.equal(fitness(tracker, '101'), 'not-registered');
    });

    it('alone does not make an extension', () => {
      assert.equal(fitness(ready(device('Custom:DND101', 'BUSY')), '101'), 'unknown-extension');
    });
  });

  describe('with several phones', () => {
    const hot = (first: string, second: string) =>
      ready(hint('101', 'PJSIP/101&PJSIP/90101', '0'), device('PJSIP/101', first), device('PJSIP/90101', second));

    it('is registered when one of them is', () => {
      assert.equal(fitness(hot('UNAVAILABLE', 'NOT_INUSE'), '101'), 'not_inuse');
      assert.equal(fitness(hot('UNAVAILABLE', 'UNAVAILABLE'), '101'), 'not-registered');
    });

    it('is in use when one of them is, for it is one person', () => {
      assert.equal(fitness(hot('NOT_INUSE', 'INUSE'), '101'), 'in-use');
      assert.equal(fitness(hot('NOT_INUSE', 'INUSE'), '101', true), 'inuse');
      assert.equal(fitness(hot('NOT_INUSE', 'BUSY'), '101', true), 'busy');
      assert.equal(fitness(hot('BUSY', 'BUSY'), '101', true), 'in-use');
    });

    it('are found by the hint when they are not named after the extension', () => {
      const tracker = ready(hint('1001', 'pjsip/0004f2040001', '4'), device('PJSIP/0004f2040001', 'NOT_INUSE'));
      assert.equal(fitness(tracker, '1001'), 'not_inuse');
      const changes = tracker.apply(device('PJSIP/0004f2040001', 'INUSE'));
      const told = changes.map(({ extension, after }) => [extension, after?.state]);
      assert.deepEqual(told, [
        ['0004f2040001', 'inuse'],
        ['1001', 'inuse'],
      ]);
    });
  });

  describe('by the hint alone', () => {
    const table: [status: string, fit: string][] = [
      ['0', 'not_inuse'],
      ['1', 'inuse'],
      ['2', 'in-use'],
      ['4', 'not-registered'],
      ['8', 'ringing'],
      ['9', 'ringinuse'],
      ['16', 'onhold'],
      ['-1', 'unknown-extension'],
      ['-2', 'unknown-extension'],
      ['', 'unknown-extension'],
    ];
    for (const [status, fit] of table) {
      it(`status ${status || 'absent'}: ${fit}`, () => {
        assert.equal(fitness(ready(hint('104', 'DAHDI/4', status)), '104', true), fit);
      });
    }

    it('takes no queue, parking lot or feature code for an extension', () => {
      const tracker = ready(
        hint('600', 'Queue:600', '0'),
        hint('701', 'park:701@parkedcalls', '0'),
        hint('*76101', 'Custom:DND101', '1'),
        hint('605', 'Local/605@ext-queues', '0'),
      );
      assert.deepEqual(tracker.list(), []);
    });

    it('forgets a hint that is removed', () => {
      const tracker = ready(hint('101', 'PJSIP/101', '0'));
      const changes = tracker.apply(hint('101', 'PJSIP/101', '-1'));
      assert.equal(changes[0]?.after, undefined);
      assert.equal(fitness(tracker, '101'), 'unknown-extension');
    });
  });

  describe('over the life of the link', () => {
    it('is link-down before the first login, while the lists come, and after the link is lost', () => {
      const tracker = createPresenceTracker();
      tracker.apply(device('PJSIP/101', 'NOT_INUSE'));
      assert.equal(fitness(tracker, '101'), 'link-down');
      tracker.begin();
      tracker.load([device('PJSIP/101', 'NOT_INUSE')]);
      assert.equal(fitness(tracker, '101'), 'link-down');
      tracker.ready();
      assert.equal(fitness(tracker, '101'), 'not_inuse');
      tracker.reset();
      assert.equal(fitness(tracker, '101'), 'link-down');
      assert.deepEqual(tracker.list(), []);
      assert.deepEqual(tracker.apply(device('PJSIP/101', 'NOT_INUSE')), []);
      assert.equal(fitness(tracker, '101'), 'link-down');
    });

    it('lets a live event win over the older list that comes after it', () => {
      const tracker = createPresenceTracker();
      tracker.begin();
      tracker.apply(device('PJSIP/101', 'UNAVAILABLE'));
      tracker.apply(device('Custom:DND102', 'NOT_INUSE'));
      tracker.apply(hint('103', 'DAHDI/3', '4'));
      tracker.load([
        device('PJSIP/101', 'NOT_INUSE'),
        device('PJSIP/102', 'NOT_INUSE'),
        device('Custom:DND102', 'INUSE'),
        hint('103', 'DAHDI/3', '0'),
      ]);
      tracker.ready();
      assert.equal(fitness(tracker, '101'), 'not-registered');
      assert.equal(fitness(tracker, '102'), 'not_inuse');
      assert.equal(fitness(tracker, '103'), 'not-registered');
    });

    it('does not take the items of a list for live events, should they come both ways', () => {
      const tracker = ready(device('PJSIP/101', 'NOT_INUSE'));
      const item = amiEvent('DeviceStateChange', { ActionID: 'x', Device: 'PJSIP/101', State: 'UNAVAILABLE' });
      assert.deepEqual(tracker.apply(item), []);
      assert.equal(fitness(tracker, '101'), 'not_inuse');
    });

    it('knows nothing of an older session: a phone that is gone from the PBX is gone', () => {
      const tracker = ready(device('PJSIP/101', 'NOT_INUSE'), hint('101', 'PJSIP/101', '0'));
      tracker.reset();
      tracker.begin();
      tracker.load([device('PJSIP/102', 'NOT_INUSE')]);
      tracker.ready();
      assert.equal(fitness(tracker, '101'), 'unknown-extension');
    });

    it('tells after a reconnect what changed meanwhile, and only that', () => {
      const tracker = ready(
        device('PJSIP/101', 'NOT_INUSE'),
        device('PJSIP/102', 'NOT_INUSE'),
        device('PJSIP/103', 'INUSE'),
      );
      tracker.reset();
      tracker.begin();
      tracker.reset();
      tracker.begin();
      tracker.load([
        device('PJSIP/101', 'NOT_INUSE'),
        device('PJSIP/102', 'UNAVAILABLE'),
        device('PJSIP/104', 'INUSE'),
      ]);
      const told = tracker.ready().map(({ extension, before, after }) => [extension, before?.state, after?.state]);
      assert.deepEqual(told, [
        ['102', 'not_inuse', 'unavailable'],
        ['103', 'inuse', undefined],
        ['104', undefined, 'inuse'],
      ]);
      assert.deepEqual(tracker.ready(), []);
    });
  });

  describe('listed again', () => {
    const known = () =>
      ready(device('PJSIP/101', 'NOT_INUSE'), device('PJSIP/102', 'NOT_INUSE'), device('Custom:DND103', 'INUSE'));

    it('takes what the list says, and answers all the while from what it knew', () => {
      const tracker = known();
      tracker.refresh();
      assert.equal(fitness(tracker, '101'), 'not_inuse');
      tracker.load([device('PJSIP/101', 'UNAVAILABLE'), device('PJSIP/103', 'NOT_INUSE')]);
      tracker.load([hint('104', 'DAHDI/4', '0')]);
      assert.equal(fitness(tracker, '101'), 'not_inuse');
      const told = tracker.ready().map(({ extension, before, after }) => [extension, before?.state, after?.state]);
      assert.deepEqual(told, [
        ['101', 'not_inuse', 'unavailable'],
        ['102', 'not_inuse', undefined],
        ['103', undefined, 'not_inuse'],
        ['104', undefined, 'not_inuse'],
      ]);
      assert.equal(fitness(tracker, '102'), 'unknown-extension');
      assert.equal(fitness(tracker, '103'), 'not_inuse');
    });

    it('lets live events that came meanwhile win, and tells of them at once', () => {
      const tracker = known();
      tracker.apply(device('PJSIP/102', 'INUSE'));
      tracker.refresh();
      assert.equal(tracker.apply(device('PJSIP/101', 'INUSE')).length, 1);
      tracker.apply(device('PJSIP/105', 'NOT_INUSE'));
      tracker.apply(hint('106', 'DAHDI/6', '4'));
      tracker.load([device('PJSIP/101', 'NOT_INUSE'), device('PJSIP/102', 'NOT_INUSE')]);
      tracker.ready();
      assert.equal(fitness(tracker, '101'), 'in-use');
      assert.equal(fitness(tracker, '102'), 'not_inuse');
      assert.equal(fitness(tracker, '105'), 'not_inuse');
      assert.equal(fitness(tracker, '106'), 'not-registered');
      tracker.apply(device('PJSIP/101', 'NOT_INUSE'));
      assert.equal(fitness(tracker, '101'), 'not_inuse');
    });

    it('keeps what it knows when the list does not come, or the link goes', () => {
      const tracker = known();
      tracker.refresh();
      tracker.load([device('PJSIP/101', 'UNAVAILABLE')]);
      tracker.refresh();
      tracker.load([device('PJSIP/101', 'NOT_INUSE'), device('PJSIP/102', 'NOT_INUSE')]);
      assert.deepEqual(tracker.ready(), []);
      tracker.refresh();
      tracker.reset();
      tracker.refresh();
      tracker.load([device('PJSIP/101', 'NOT_INUSE')]);
      assert.deepEqual(tracker.ready(), []);
      assert.equal(fitness(tracker, '101'), 'link-down');
    });
  });

  describe('is settled', () => {
    const isSettled = (tracker: PresenceTracker) =>
      Promise.race([tracker.settled().then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);

    it('at once when the states are known, also while they are listed again, and while the link is down', async () => {
      const tracker = createPresenceTracker();
      assert.equal(await isSettled(tracker), true);
      tracker.begin();
      tracker.ready();
      assert.equal(await isSettled(tracker), true);
      tracker.refresh();
      assert.equal(await isSettled(tracker), true);
    });

    for (const end of ['ready', 'reset'] as const) {
      it(`with ${end}(), while the first list comes`, async () => {
        const tracker = createPresenceTracker();
        tracker.begin();
        const waiting = [tracker.settled(), tracker.settled()];
        assert.equal(await isSettled(tracker), false);
        tracker[end]();
        await Promise.all(waiting);
      });
    }
  });

  describe('as recorded from Asterisk', () => {
    it('reads DeviceStateList and ExtensionStateList with a call up', () => {
      const items = recordedMessages('lists').filter((message) => message.get('ActionID') !== undefined);
      const tracker = createPresenceTracker();
      tracker.begin();
      tracker.load(items);
      tracker.ready();
      assert.deepEqual(tracker.list(), [
        { extension: '101', state: 'inuse', registered: true, doNotDisturb: false },
        { extension: '102', state: 'not_inuse', registered: true, doNotDisturb: false },
        { extension: '103', state: 'not_inuse', registered: true, doNotDisturb: false },
        { extension: 'trunk', state: 'inuse', registered: true, doNotDisturb: false },
      ]);
    });

    it('follows a phone that unregisters and registers', () => {
      const tracker = ready(device('PJSIP/102', 'NOT_INUSE'), hint('102', 'PJSIP/102', '0'));
      const told = recordedMessages('registration-and-states').flatMap((event) => [...tracker.apply(event)]);
      assert.deepEqual(
        told.map(({ extension, before, after }) => [extension, before?.registered, after?.registered]),
        [
          ['102', true, false],
          ['102', false, true],
        ],
      );
    });

    it('follows a call: rings, talks, free again', () => {
      const tracker = ready(device('PJSIP/101', 'NOT_INUSE'));
      const told = recordedMessages('inbound-answered-caller-hangs-up').flatMap((event) => [...tracker.apply(event)]);
      const states = told.filter(({ extension }) => extension === '101').map(({ after }) => after?.state);
      assert.deepEqual(states, ['ringing', 'inuse', 'not_inuse']);
    });
  });

  it('stops at its bound, counts what it leaves out, and keeps what it knows up to date', () => {
    const tracker = createPresenceTracker();
    tracker.begin();
    tracker.load(Array.from({ length: 20_010 }, (_, index) => device(`PJSIP/${100_000 + index}`, 'NOT_INUSE')));
    tracker.ready();
    assert.deepEqual(tracker.stats, { devices: 20_000, hints: 0, ignored: 10 });
    assert.equal(fitness(tracker, '120005'), 'unknown-extension');
    tracker.apply(device('PJSIP/100000', 'UNAVAILABLE'));
    assert.equal(fitness(tracker, '100000'), 'not-registered');
  });

  it('never throws, and its changes add up to what it says', () => {
    const name = fc.oneof(
      fc.constantFrom('PJSIP/101', 'SIP/101', 'Custom:DND101', 'PJSIP/', '/', 'PJSIP/102'),
      fc.string(),
    );
    const state = fc.oneof(fc.constantFrom('NOT_INUSE', 'INUSE', 'UNAVAILABLE', 'UNKNOWN', 'BUSY'), fc.string());
    const status = fc.oneof(fc.constantFrom('0', '1', '4', '-1'), fc.string());
    const extension = fc.oneof(fc.constantFrom('101', '102', '__proto__'), fc.string());
    const event = fc.oneof(
      fc.tuple(name, state).map(([one, other]) => device(one, other)),
      fc.tuple(extension, name, status).map(([exten, one, number]) => hint(exten, `${one}&PJSIP/102`, number)),
      fc.constant(amiEvent('DeviceStateChange')),
      fc.constant(amiEvent('ExtensionStatus')),
    );
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const tracker = ready();
        const told = new Map<string, unknown>();
        for (const one of events) {
          for (const { extension: changed, before, after } of tracker.apply(one)) {
            assert.deepEqual(told.get(changed), before);
            if (after === undefined) told.delete(changed);
            else told.set(changed, after);
          }
        }
        for (const presence of tracker.list()) assert.deepEqual(told.get(presence.extension), presence);
      }),
      { numRuns: 300 },
    );
  });
});
