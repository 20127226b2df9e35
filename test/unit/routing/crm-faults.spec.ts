import assert from 'node:assert/strict';
import { createCrmAccount, type CrmAccount, type CrmAccountOptions } from '../../../lib/crm/account';
import { crmKind } from '../../../lib/crm/kinds';
import { systemClock } from '../../../lib/clock';
import { silentLog } from '../../../lib/log';
import { numberingPlan } from '../../../lib/phone';
import { createLookup, type Lookup } from '../../../lib/routing/lookup';
import type { LookupOutcome } from '../../../lib/routing/types';
import {
  certificate,
  endMidBody,
  FakeCrm,
  gzipBomb,
  headerDrip,
  hugeBody,
  inTurn,
  json,
  neverEndingBody,
  resetMidBody,
  silence,
  text,
  type Behaviour,
  type Certificate,
} from '../../support/fake-crm';
import { until } from '../../support/wait';

const known = json({ code: 200, list: [{ type: 'contact', id: 2, name: 'Петров', owner_id: 101 }] });

/** Timers of a busy machine fire late; a promise that hangs is later than this. */
const SLACK_MS = 5000;

describe('a call never waits for a CRM that fails', () => {
  const opened: { stop(): Promise<void> }[] = [];
  let crm: FakeCrm;
  let account: CrmAccount;
  let lookup: Lookup;

  async function open(
    behave: Behaviour,
    { deadlineMs = 600, tls, ...options }: Partial<CrmAccountOptions> & { deadlineMs?: number; tls?: Certificate } = {},
  ): Promise<void> {
    crm = await new FakeCrm(behave, tls).start();
    opened.push(crm);
    account = createCrmAccount(
      { kind: crmKind('usercrm'), settings: { url: `${crm.origin}/hook` }, secrets: { token: 'key' }, ...options },
      { clock: systemClock, log: silentLog },
    );
    const plan = numberingPlan({ country: 'RU' });
    lookup = createLookup({ account, plan, clock: systemClock, deadlineMs });
  }

  /** Asks, checks that the answer came within the deadline, and that closing leaves nothing. */
  async function outcome(deadlineMs = 600): Promise<readonly [LookupOutcome, string | undefined]> {
    const begun = performance.now();
    const { contact } = await lookup.lookup('+74951343060');
    const took = performance.now() - begun;
    assert.ok(took < deadlineMs + SLACK_MS, `answered after ${took} ms`);
    return [contact.outcome, contact.error?.code];
  }

  afterEach(async () => {
    const begun = performance.now();
    await account.close();
    assert.ok(performance.now() - begun < SLACK_MS, 'closed without waiting for the CRM');
    await until(() => crm.connections === 0, 'no connection is left');
    for (const one of opened.splice(0)) await one.stop();
  });

  const faults: readonly (readonly [string, Behaviour, LookupOutcome, string])[] = [
    ['401', json({}, 401), 'error', 'CRM_UNAUTHORIZED'],
    ['404', json({}, 404), 'error', 'CRM_NOT_FOUND'],
    ['429 with Retry-After', json({}, 429, { 'Retry-After': '5' }), 'limited', 'CRM_LIMITED'],
    ['500', json({}, 500), 'error', 'CRM_SERVER_ERROR'],
    ['502 twice', json({}, 502), 'error', 'CRM_SERVER_ERROR'],
    ['a redirect', json({}, 302, { Location: 'https://elsewhere.example/' }), 'error', 'CRM_REDIRECTED'],
    ['HTML instead of JSON', text('<html></html>', 'text/html'), 'error', 'CRM_NOT_JSON'],
    ['JSON of a wrong shape', json({ result: [] }), 'error', 'CRM_BAD_ANSWER'],
    ['50 MB of body', hugeBody, 'error', 'CRM_TOO_LARGE'],
    ['a gzip bomb', gzipBomb, 'error', 'CRM_TOO_LARGE'],
    ['a reset inside the body', resetMidBody, 'error', 'CRM_UNREACHABLE'],
    ['an end inside the body', endMidBody, 'error', 'CRM_UNREACHABLE'],
  ];
  for (const [name, behave, expected, code] of faults) {
    it(`${name}: ${expected}`, async () => {
      // Time enough for a busy machine: what is tested here is what the flow is told.
      await open(behave, { deadlineMs: 8000 });
      assert.deepEqual(await outcome(8000), [expected, code]);
    });
  }

  for (const [name, behave] of Object.entries({ silence, neverEndingBody, headerDrip })) {
    it(`${name}: timeout, at the deadline`, async () => {
      await open(behave);
      const [result] = await outcome();
      assert.equal(result, 'timeout');
    });
  }

  for (const tls of ['other', 'expired', 'self-signed'] as const) {
    it(`a certificate "${tls}": error`, async () => {
      await open(known, { deadlineMs: 8000, tls, ...(tls === 'self-signed' ? {} : { ca: certificate('authority') }) });
      assert.deepEqual(await outcome(8000), ['error', 'CRM_TLS']);
      assert.equal(crm.requests.length, 0);
    });
  }

  it('a used up limit: limited at once, without waiting and without asking', async () => {
    await open(known, { limits: { perSecond: 0.001, burst: 1 }, deadlineMs: 8000, foundMs: 0 });
    assert.deepEqual(await outcome(8000), ['found', undefined]);
    const begun = performance.now();
    const { contact } = await lookup.lookup('+74950000001');
    assert.ok(performance.now() - begun < SLACK_MS);
    assert.equal(contact.outcome, 'limited');
    assert.equal(crm.requests.length, 1);
  });

  it('a connection that broke between two calls is made again within the same question', async () => {
    await open(known, { deadlineMs: 8000, foundMs: 0 });
    assert.deepEqual(await outcome(8000), ['found', undefined]);
    crm.behave = inTurn((_request, response) => response.socket?.destroy(), known);
    assert.deepEqual(await outcome(8000), ['found', undefined]);
    assert.equal(crm.requests.length, 3);
  });

  it('a client of before is still found while the CRM is down', async () => {
    await open(known, { deadlineMs: 8000, foundMs: 0 });
    await outcome(8000);
    await crm.stop();
    const { contact } = await lookup.lookup('+74951343060');
    assert.equal(contact.outcome, 'found');
    assert.equal(contact.from, 'stale');
    assert.equal(account.state.status, 'failing');
  });

  it('200 simultaneous calls from one number are one request', async () => {
    await open((request, response) => setTimeout(() => known(request, response), 50), { deadlineMs: 8000 });
    const results = await Promise.all(Array.from({ length: 200 }, () => lookup.lookup('8 495 134-30-60')));
    assert.deepEqual(new Set(results.map(({ contact }) => contact.extension)), new Set(['101']));
    assert.equal(crm.requests.length, 1);
  });

  it('500 calls from as many numbers at a silent CRM all end with the deadline, and nothing is left', async () => {
    await open(silence, { limits: { perSecond: 10_000, burst: 10_000 } });
    const begun = performance.now();
    const numbers = Array.from({ length: 500 }, (_, i) => `+7495001${String(i).padStart(4, '0')}`);
    const results = await Promise.all(numbers.map((number) => lookup.lookup(number)));
    assert.ok(performance.now() - begun < 600 + 3 * SLACK_MS);
    assert.ok(results.every(({ contact }) => contact.outcome === 'timeout'));
  });
});
