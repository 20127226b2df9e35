import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AmiMessage } from '../../../lib/ami/types';
import { createCallTracker } from '../../../lib/calls';
import { CALL_EVENTS } from '../../../lib/pbx/call-events';
import { numberingPlan } from '../../../lib/phone';
import { recordedMessages } from '../../support/ami-messages';

const recordings = readdirSync(join(__dirname, '../../fixtures/ami'))
  .filter((file) => file.endsWith('.txt'))
  .map((file) => file.replace(/\.txt$/, ''));

/** What the tracker tells of a recording. */
function story(events: readonly AmiMessage[]): string {
  const plan = { numbers: numberingPlan({ country: 'RU', extensionPattern: '1XX' }), trunks: [], trunkContexts: [] };
  const tracker = createCallTracker({ pbx: 'office', plan });
  const at = Date.UTC(2026, 10, 20);
  tracker.beginSession(at, false);
  const told = [...events.flatMap((event) => tracker.apply(event, at)), ...tracker.tick(at + 60_000)];
  return JSON.stringify(told, null, 1);
}

describe('the events that calls are made of', () => {
  it('are enough: nothing is told otherwise when all the others are heard too', () => {
    const names = new Set(CALL_EVENTS);
    for (const recording of recordings) {
      const all = recordedMessages(recording).filter(({ kind }) => kind === 'event');
      const heard = all.filter(({ name }) => names.has(name));
      assert.equal(story(heard), story(all), recording);
    }
  });
});
