import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Feed } from '../../../lib/agents/feed';
import { networkOf } from '../../../lib/agents/network';
import { hashPin, isHash, isPin } from '../../../lib/agents/pins';
import { pageAddress, PopTemplate } from '../../../lib/agents/pop-url';
import { SESSION_MS, SignIn, SignInMemory } from '../../../lib/agents/sign-in';
import { Throttle } from '../../../lib/agents/throttle';
import { signToken } from '../../../lib/agents/tokens';
import { FakeClock } from '../../support/fake-clock';

const OWN = { secret: 'a key', pbx: 'office', page: 'pop', key: Buffer.alloc(32, 7) };
const SECRET = OWN.secret;
const LINK = { purpose: 'link', place: OWN.pbx } as const;

describe('PINs of agents', () => {
  it('are kept as a hash that only the PIN fits', async () => {
    const [one, other] = [await hashPin('4711'), await hashPin('4711')];
    assert.notEqual(one, other);
    assert.equal(await isPin('4711', one), true);
    assert.equal(await isPin('4712', one), false);
    assert.equal(await isPin('4711', undefined), false);
    assert.deepEqual([one, '4711', '', undefined].map(isHash), [true, false, false, false]);
    await assert.rejects(hashPin('123'), { code: 'AGENT_BAD_PIN' });
  });
});

describe('signing in', () => {
  const made = async () => {
    const clock = new FakeClock();
    const pins = new Map([['101', await hashPin('4711')]]);
    return { clock, pins, signIn: new SignIn({ ...OWN, pins }, clock, new SignInMemory(clock)) };
  };

  it('outlives a restart, and ends by time, by signing out and with another PIN', async () => {
    const { clock, pins, signIn } = await made();
    const { session } = await signIn.withPin('101', '4711', { address: '10.0.0.1' });
    assert.equal(signIn.extensionOf(session), '101');
    assert.equal(new SignIn({ ...OWN, pins }, clock, new SignInMemory(clock)).extensionOf(session), '101');
    const changed = new Map([['101', await hashPin('4711')]]);
    assert.equal(new SignIn({ ...OWN, pins: changed }, clock, new SignInMemory(clock)).extensionOf(session), undefined);
    assert.equal(signIn.extensionOf(session.replace('101.', '102.')), undefined);
    signIn.signOut(session);
    assert.equal(signIn.extensionOf(session), undefined);
    const next = await signIn.withPin('101', '4711', { address: '10.0.0.1' });
    clock.advance(SESSION_MS + 1000);
    assert.equal(signIn.extensionOf(next.session), undefined);
  });

  it('takes a link of the CRM for a link only, in its time', async () => {
    const { clock, signIn } = await made();
    const link = signToken(LINK, '105', clock.now() + 60_000, SECRET);
    const session = signIn.withLink(link);
    assert.equal(signIn.extensionOf(session), '105');
    assert.equal(signIn.extensionOf(link), undefined);
    assert.throws(() => signIn.withLink(session), { code: 'AGENT_BAD_LINK' });
    const far = signToken(LINK, '105', clock.now() + 48 * 60 * 60_000, SECRET);
    assert.throws(() => signIn.withLink(far), { code: 'AGENT_BAD_LINK' });
    clock.advance(61_000);
    assert.throws(() => signIn.withLink(link), { code: 'AGENT_BAD_LINK' });
    const without = new SignIn({ ...OWN, pins: new Map(), secret: '' }, clock, new SignInMemory(clock));
    assert.throws(() => without.withLink(signToken(LINK, '105', clock.now() + 1000, '')), { code: 'AGENT_BAD_LINK' });
  });

  it('takes neither a link nor a session of another page, though PIN and key are the same', async () => {
    const { clock, pins, signIn } = await made();
    const other = new SignIn({ ...OWN, pins, pbx: 'branch', page: 'pop2' }, clock, new SignInMemory(clock));
    const link = signToken(LINK, '101', clock.now() + 60_000, SECRET);
    assert.equal(signIn.extensionOfLink(link), '101');
    assert.equal(other.extensionOfLink(link), undefined);
    const { session, device } = await signIn.withPin('101', '4711', { address: '10.0.0.1' });
    assert.deepEqual([signIn.extensionOf(session), signIn.extensionOfDevice(device)], ['101', '101']);
    assert.deepEqual([other.extensionOf(session), other.extensionOfDevice(device)], [undefined, undefined]);
  });

  it('takes no session that somebody signed who knows the PIN, its hash and the key for links only', async () => {
    const { clock, pins, signIn } = await made();
    const forger = new SignIn({ ...OWN, pins, key: Buffer.alloc(32) }, clock, new SignInMemory(clock));
    const { session, device } = await forger.withPin('101', '4711', { address: '10.0.0.1' });
    assert.equal(forger.extensionOf(session), '101');
    assert.deepEqual([signIn.extensionOf(session), signIn.extensionOfDevice(device)], [undefined, undefined]);
  });

  it('lets in who signs out and in again within the same second', async () => {
    const { clock, signIn } = await made();
    const come = async () => (await signIn.withPin('101', '4711', { address: '10.0.0.1' })).session;
    const first = await come();
    signIn.signOut(first);
    assert.equal(signIn.extensionOf(await come()), '101');
    assert.equal(signIn.extensionOf(first), undefined);
    const link = signToken(LINK, '101', clock.now() + 60_000, SECRET);
    signIn.signOut(signIn.withLink(link));
    assert.equal(signIn.extensionOf(signIn.withLink(link)), '101');
  });

  it('makes each further guess wait longer, whoever guesses', async () => {
    const { clock, signIn } = await made();
    const guess = (address: string, pin = '0000') => signIn.withPin('101', pin, { address });
    for (let i = 0; i < 5; i += 1) await assert.rejects(guess(`10.0.0.${i}`), { code: 'AGENT_WRONG_PIN' });
    await assert.rejects(guess('10.0.0.9', '4711'), { code: 'AGENT_WAIT', params: { seconds: 30 } });
    clock.advance(30_000);
    await assert.rejects(guess('10.0.0.9'), { code: 'AGENT_WRONG_PIN' });
    await assert.rejects(guess('10.0.0.9'), { code: 'AGENT_WAIT', params: { seconds: 60 } });
    clock.advance(60_000);
    assert.equal(signIn.extensionOf((await guess('10.0.0.9', '4711')).session), '101');
  });

  it('takes a right PIN for no wrong one, however many were wrong before at its address', async () => {
    const { clock, pins, signIn } = await made();
    const own = pins.get('101') ?? '';
    for (let i = 0; i < 20; i += 1) {
      const guess = signIn.withPin(String(300 + i), '0000', { address: '10.0.0.1' });
      await assert.rejects(guess, { code: 'AGENT_WRONG_PIN' });
    }
    for (const extension of ['102', '103', '104']) pins.set(extension, own);
    const come = (extension: string, pin = '4711') => signIn.withPin(extension, pin, { address: '10.0.0.1' });
    await assert.rejects(come('102'), { code: 'AGENT_WAIT', params: { seconds: 30 } });
    clock.advance(30_000);
    // Of two at once the second one waits: the first may be a guess.
    const both = await Promise.allSettled([come('102'), come('103')]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    await come('103');
    // Right ones do not keep the wrong ones from being forgotten.
    clock.advance(20 * 60 * 60_000);
    await come('104');
    clock.advance(4 * 60 * 60_000);
    for (let i = 0; i < 10; i += 1) {
      const guess = signIn.withPin(String(400 + i), '0000', { address: '10.0.0.1' });
      await assert.rejects(guess, { code: 'AGENT_WRONG_PIN' });
    }
    await assert.rejects(come('102'), { code: 'AGENT_WAIT', params: { seconds: 30 } });
  });

  it('forgives no wrong PIN that somebody tries beside a right one', async () => {
    const { pins, signIn } = await made();
    pins.set('102', pins.get('101') ?? '');
    for (let i = 0; i < 5; i += 1) {
      const address = `10.0.0.${i}`;
      const both = [signIn.withPin('101', '0000', { address }), signIn.withPin('102', '4711', { address })];
      const ends = (await Promise.allSettled(both)).map(({ status }) => status);
      assert.deepEqual(ends, ['rejected', 'fulfilled']);
    }
    await assert.rejects(signIn.withPin('101', '4711', { address: '10.0.1.1' }), { code: 'AGENT_WAIT' });
  });

  it('gives a hundred guesses a day, and not one more to who waits until they are forgotten', () => {
    const DAY_MS = 24 * 60 * 60_000;
    const guesses = (days: number, pauseMs: number): number => {
      const clock = new FakeClock();
      const throttle = new Throttle(clock, 5);
      let count = 0;
      while (clock.monotonic() < days * DAY_MS) {
        const wait = throttle.waitOf('101');
        if (wait > 0) clock.advance(wait < 900_000 ? wait : wait + pauseMs);
        else {
          throttle.wrong('101');
          count += 1;
        }
      }
      return count;
    };
    const tireless = guesses(30, 0);
    assert.ok(tireless < 30 * 100, String(tireless));
    for (const pauseMs of [16 * 60_000, 31 * 60_000, DAY_MS, 5 * DAY_MS])
      assert.ok(guesses(30, pauseMs) < tireless, String(pauseMs));
  });

  it('forgets no wrong PIN of an agent for extensions that somebody invents', () => {
    const clock = new FakeClock();
    const { byExtension, byInvented } = new SignInMemory(clock);
    for (let i = 0; i < 6; i += 1) byExtension.wrong('101');
    for (let i = 0; i < 10_001; i += 1) byInvented.wrong(`x${i}`);
    assert.equal(byExtension.waitOf('101'), 60_000);
  });

  it('counts for an extension without a PIN apart, and no less', async () => {
    const clock = new FakeClock();
    const memory = new SignInMemory(clock);
    const signIn = new SignIn({ ...OWN, pins: new Map([['101', await hashPin('4711')]]) }, clock, memory);
    const guess = (extension: string, i: number) => signIn.withPin(extension, '0000', { address: `10.0.0.${i}` });
    for (let i = 0; i < 5; i += 1) await assert.rejects(guess('999', i), { code: 'AGENT_WRONG_PIN' });
    await assert.rejects(guess('999', 9), { code: 'AGENT_WAIT', params: { seconds: 30 } });
    assert.deepEqual([memory.byExtension.waitOf('999'), memory.byInvented.waitOf('999')], [0, 30_000]);
  });

  it('takes all addresses of one IPv6 network for one', async () => {
    const { signIn } = await made();
    const guess = (address: string, i: number) => signIn.withPin(String(300 + i), '0000', { address });
    for (let i = 0; i < 20; i += 1)
      await assert.rejects(guess(`2001:db8::7:0:0:${i.toString(16)}`, i), { code: 'AGENT_WRONG_PIN' });
    await assert.rejects(guess('2001:db8:0:0:7::ffff', 50), { code: 'AGENT_WAIT' });
    await assert.rejects(guess('2001:DB8::', 51), { code: 'AGENT_WAIT' });
    await assert.rejects(guess('2001:db8:0:1::', 52), { code: 'AGENT_WRONG_PIN' });
    await assert.rejects(guess('::ffff:192.0.2.1', 53), { code: 'AGENT_WRONG_PIN' });
    assert.deepEqual(['::ffff:192.0.2.1', '::1', 'fe80::1%eth0', '1:2:3:4:5:6:7:8', ''].map(networkOf), [
      '192.0.2.1',
      '0:0:0:0',
      'fe80:0:0:0',
      '1:2:3:4',
      '',
    ]);
  });

  it('lets the agent in from a browser that it knows, however much strangers guess', async () => {
    const { signIn } = await made();
    const { device } = await signIn.withPin('101', '4711', { address: '10.0.0.1' });
    for (let i = 0; i < 25; i += 1)
      await assert.rejects(signIn.withPin('101', '0000', { address: '10.0.0.1', devices: ['101.1.x'] }));
    const own = { address: '10.0.0.1', devices: ['nonsense', device] };
    assert.equal(signIn.extensionOf((await signIn.withPin('101', '4711', own)).session), '101');
    // For another extension it is worth nothing, and it is no way to guess for ever.
    await assert.rejects(signIn.withPin('102', '4711', own), { code: 'AGENT_WRONG_PIN' });
    for (let i = 0; i < 5; i += 1)
      await assert.rejects(signIn.withPin('101', '0000', own), { code: 'AGENT_WRONG_PIN' });
    await assert.rejects(signIn.withPin('101', '4711', own), { code: 'AGENT_WAIT' });
    assert.equal(signIn.extensionOf(device), undefined);
  });

  it('gives no free guesses to who tries all at once, and lets a whole shift in', async () => {
    const { signIn, pins } = await made();
    const tries = Array.from({ length: 15 }, (_, i) =>
      signIn.withPin('101', String(1000 + i), { address: '10.0.0.1' }),
    );
    const codes = (await Promise.allSettled(tries)).map(
      (one) => one.status === 'rejected' && (one.reason as { code: string }).code,
    );
    assert.equal(codes.filter((code) => code === 'AGENT_WRONG_PIN').length, 5);
    assert.equal(codes.filter((code) => code === 'AGENT_WAIT').length, tries.length - 5);
    const own = pins.get('101') ?? '';
    const shift = Array.from({ length: 20 }, (_, i) => String(200 + i));
    for (const extension of shift) pins.set(extension, own);
    await Promise.all(shift.map((extension) => signIn.withPin(extension, '4711', { address: '10.0.0.2' })));
  });

  it('turns away whom it has no room to let wait, and not the agent at a browser that it knows', async () => {
    const { signIn } = await made();
    const { device } = await signIn.withPin('101', '4711', { address: '10.0.0.1' });
    const guess = () => signIn.withPin('101', '0000', { address: '10.0.0.2' });
    // Two are looked at, two hundred wait.
    const crowd = Promise.allSettled(Array.from({ length: 202 }, guess));
    const tooMany = assert.rejects(guess(), { code: 'AGENT_BUSY' });
    const own = signIn.withPin('101', '4711', { address: '10.0.0.1', devices: [device] });
    await tooMany;
    assert.equal(signIn.extensionOf((await own).session), '101');
    const codes = (await crowd).map((one) => one.status === 'rejected' && (one.reason as { code: string }).code);
    assert.deepEqual([...new Set(codes)].sort(), ['AGENT_WAIT', 'AGENT_WRONG_PIN']);
    // There is room again, and the reason to wait is another.
    await assert.rejects(guess(), { code: 'AGENT_WAIT' });
  });
});

describe('the feed of agents', () => {
  it('repeats what was missed, once, and to the same extension only', () => {
    const feed = new Feed();
    const seen: [string | undefined, unknown][] = [];
    const end = feed.listen('101', ({ id, data }) => seen.push([id, data]));
    feed.tell('101', 'note', 1);
    feed.tell('102', 'note', 'not his');
    end();
    feed.tell('101', 'note', 2);
    const again: unknown[] = [];
    feed.listen('101', ({ data }) => again.push(data), seen.at(-1)?.[0])();
    assert.deepEqual([seen.map(([, data]) => data), again], [[1], [2]]);
    const strange: unknown[] = [];
    feed.listen('101', ({ data }) => strange.push(data), 'earlier-1')();
    assert.deepEqual(strange, [1, 2]);
    const fresh: unknown[] = [];
    feed.listen('101', ({ data }) => fresh.push(data))();
    assert.deepEqual(fresh, []);
    assert.deepEqual(feed.extensions, []);
  });

  it('keeps no more than a hundred events, and refuses an eleventh tab', () => {
    const feed = new Feed();
    let first = '';
    feed.listen('101', ({ id = '' }) => (first ||= id))();
    const end = feed.listen('101', ({ id = '' }) => (first ||= id));
    for (let i = 0; i < 150; i += 1) feed.tell('101', 'note', i);
    end();
    const kept: unknown[] = [];
    feed.listen('101', ({ data }) => kept.push(data), first)();
    assert.equal(kept.length, 100);
    for (let i = 0; i < 10; i += 1) feed.listen('101', () => undefined);
    assert.throws(() => feed.listen('101', () => undefined), { code: 'AGENT_TOO_MANY_TABS' });
    feed.listen('102', () => undefined);
  });
});

describe('an address template', () => {
  it('never leaves its host, whatever a caller calls himself', () => {
    const template = new PopTemplate('https://crm.example.com/%callerid%?n=%agent_name%#%call_info%');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const url = new URL(template.fill({ callerid: text, agent_name: text, call_info: text }));
        assert.equal(url.origin, 'https://crm.example.com');
      }),
    );
  });

  it('opens nothing but web pages', () => {
    const bad = [
      'javascript:alert(1)',
      'data:text/html,x',
      'https://%callerid%/',
      'https://a@evil/',
      '//evil',
      '/\\evil',
      '..\\evil',
      'x',
    ];
    for (const text of bad) {
      assert.throws(() => new PopTemplate(text), { code: 'AGENT_BAD_TEMPLATE' }, text);
      if (!text.includes('%')) assert.equal(pageAddress(text), undefined, text);
    }
    assert.equal(
      new PopTemplate('show_vars/?aon=%callerid%').fill({ callerid: '+7 (8)' }),
      'show_vars/?aon=%2B7%20(8)',
    );
    assert.equal(new PopTemplate('https://a.example/?x=%other%').fill({}), 'https://a.example/?x=%other%');
    for (const page of ['/card?aon=', '../card?aon=']) {
      assert.equal(new PopTemplate(`${page}%callerid%`).fill({ callerid: '//x' }), `${page}%2F%2Fx`);
      assert.equal(pageAddress(`${page}1`), `${page}1`);
    }
    assert.throws(() => new PopTemplate('/%callerid%/card'), { code: 'AGENT_BAD_TEMPLATE' });
  });
});
