import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PBX_TOPICS, type CallPayload, type PbxMessage } from '../../../lib/messages/types';
import { callFilter, forFlow } from '../../../lib/pbx/call-filter';
import type { CallFilterOptions } from '../../../lib/pbx/call-filter';

const all: CallFilterOptions = { topics: [], directions: [], extensions: '', queues: '' };
const passes = (options: Partial<CallFilterOptions>, message: PbxMessage): boolean =>
  callFilter({ ...all, ...options })(message);

const leg = (more: Partial<CallPayload> = {}): PbxMessage => ({
  topic: 'call_answer',
  payload: { eventId: 'e', pbx: 'office', callId: '1', direction: 'in', extension: '101', startedAt: '', ...more },
});
const record = (more: Partial<CallPayload>, rung: string[], talked: string[]): PbxMessage => ({
  topic: 'call_record',
  payload: { ...(leg(more).payload as CallPayload), rung, talked, legs: [] },
});
const user: PbxMessage = {
  topic: 'user_change',
  payload: { eventId: 'u', pbx: 'office', extension: '101', state: 'busy', at: '' },
};
const gap: PbxMessage = { topic: 'gap', payload: { eventId: 'g', pbx: 'office', from: '', to: '', restarted: false } };

describe('the filter of call events', () => {
  it('lets everything through when nothing is chosen', () => {
    for (const message of [leg(), record({}, [], []), user, gap]) assert.ok(passes({}, message));
  });

  it('knows the topics that the dialog of ami-event offers', () => {
    const dialog = readFileSync(resolve('nodes/ami-event.html'), 'utf8');
    const offered = [...dialog.matchAll(/'(call_\w+|user_change|gap)'/g)].map(([, topic]) => topic);
    assert.deepEqual(new Set(offered), new Set(PBX_TOPICS));
  });

  it('chooses topics and directions', () => {
    assert.ok(passes({ topics: ['call_answer'] }, leg()));
    assert.ok(!passes({ topics: ['call_hangup', 'gap'] }, leg()));
    assert.ok(passes({ topics: ['call_hangup', 'gap'] }, gap));
    assert.ok(!passes({ topics: ['call_nothing'] }, leg()));
    assert.ok(passes({ directions: ['in', 'out'] }, leg()));
    assert.ok(!passes({ directions: ['out'] }, leg()));
  });

  it('passes a call in which one of the extensions takes part, however it does', () => {
    const extensions = '1XX, 201-210';
    assert.ok(passes({ extensions }, leg({ extension: '205' })));
    assert.ok(!passes({ extensions }, leg({ extension: '305' })));
    assert.ok(passes({ extensions }, leg({ extension: '305', peer: { extension: '101' } })));
    assert.ok(passes({ extensions }, leg({ extension: '305', transfer: { type: 'blind', from: '305', to: '101' } })));
    assert.ok(passes({ extensions }, record({ extension: '305' }, ['305', '101'], ['305'])));
    assert.ok(!passes({ extensions }, record({ extension: '305' }, ['305'], ['305'])));
    assert.throws(() => callFilter({ ...all, extensions: 'abc' }), { code: 'PHONE_BAD_PLAN' });
  });

  it('passes calls of the queues, by name without case', () => {
    assert.ok(passes({ queues: 'Sales; support' }, leg({ queue: { id: 'Support' } })));
    assert.ok(!passes({ queues: 'sales' }, leg({ queue: { id: 'support' } })));
    assert.ok(!passes({ queues: 'sales' }, leg()));
  });

  it('judges the state of an extension by the extension alone, and a gap by nothing', () => {
    const narrow = { directions: ['out'], queues: 'sales' };
    assert.ok(passes({ ...narrow, extensions: '101' }, user));
    assert.ok(!passes({ ...narrow, extensions: '102' }, user));
    assert.ok(passes({ ...narrow, extensions: '102' }, gap));
  });
});

describe('a message for a flow', () => {
  const userOf = (extension: string) => (extension === '101' ? { userId: '7', name: 'Анна' } : undefined);

  it('says which CRM user has the extension, when the table knows', () => {
    const [known, unknown] = [leg(), leg({ extension: '102' })].map((message) => forFlow(message, userOf).payload);
    assert.deepEqual((known as CallPayload).user, { id: '7', name: 'Анна' });
    assert.ok(!('user' in unknown!));
    assert.deepEqual((forFlow(user, userOf).payload as CallPayload).user, { id: '7', name: 'Анна' });
    assert.deepEqual(forFlow(gap, userOf), gap);
  });

  it('is a copy: what one flow changes, no other sees', () => {
    const message = leg({ client: { number: '1' } });
    const copy = forFlow(message, () => undefined);
    (copy.payload as { client: { number: string } }).client.number = 'changed';
    assert.equal((message.payload as CallPayload).client?.number, '1');
  });
});
