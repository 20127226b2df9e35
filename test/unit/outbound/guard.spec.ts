import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import { createGuard } from '../../../lib/outbound/guard';
import type { DialSettings } from '../../../lib/outbound/types';
import { numberingPlan } from '../../../lib/phone';
import { FakeClock } from '../../support/fake-clock';

const russia = numberingPlan({ country: 'RU' });

const guardWith = (settings: Partial<DialSettings> = {}, plan = russia) =>
  createGuard({ ...DEFAULT_DIALLING, ...settings }, plan, new FakeClock());

/** The code of the objection, or `ok`. */
const judged = (number: string, settings: Partial<DialSettings> = {}, plan = russia, e164?: string) =>
  guardWith(settings, plan).objection({ number, ...(e164 === undefined ? {} : { e164 }) })?.code ?? 'ok';

describe('the rules for dialling: what is dialled', () => {
  it('allows numbers of the own country and extensions when nothing is set', () => {
    for (const number of ['+74951343060', '8 (903) 123-45-67', '8-800-555-35-35', '74951343060', '101', '20001'])
      assert.equal(judged(number), 'ok', number);
  });

  it('refuses numbers abroad, and says what would allow them', () => {
    const error = guardWith().objection({ number: '+18765551234' });
    assert.equal(error?.code, 'OUTBOUND_ABROAD');
    assert.match(error.message, /\+1\*/);
    assert.match(error.textIn('ru'), /только номера страны RU/);
    for (const number of ['+375291234567', '810 375 29 123-45-67', '0018765551234', '+77011234567', '+8821312345678'])
      assert.notEqual(judged(number), 'ok', number);
  });

  it('counts Abkhazia as abroad, though it shares the code of Russia', () => {
    for (const number of ['+79409112233', '8 940 911-22-33', '+78402261234']) {
      assert.equal(judged(number), 'OUTBOUND_ABROAD', number);
      assert.equal(judged(number, { allow: [`${number.includes('840') ? '+7840' : '+7940'}*`] }), 'ok', number);
    }
    assert.match(guardWith().objection({ number: '+79409112233' })!.message, /\+7940\*/);
    assert.equal(judged('+79391234567'), 'ok');
  });

  it('refuses premium numbers, also where a pattern allows their whole country', () => {
    assert.equal(judged('8 809 123-45-67'), 'OUTBOUND_COSTLY');
    assert.equal(judged('+78091234567', { allow: ['+7*'] }), 'OUTBOUND_COSTLY');
    assert.equal(judged('+19005551234', { allow: ['*'] }), 'OUTBOUND_COSTLY');
    const { message } = guardWith().objection({ number: '+78091234567' })!;
    assert.match(message, /\+7809\*/);
    assert.equal(judged('+78091234567', { allow: ['+7*', '+7809*'] }), 'ok');
    assert.equal(judged('+78091234567', { allow: ['+78091234567'] }), 'ok');
  });

  it('never dials an emergency number, whatever the plan and the patterns say', () => {
    const wide = numberingPlan({ country: 'RU', extensionPattern: '1XX, 9XX, 0X' });
    for (const number of ['112', '911', '01', '03', ' 1-1-2 ', '１１２', '+112', '<sip:112@pbx>', '"x" <112>'])
      for (const plan of [russia, wide])
        assert.equal(judged(number, { allow: ['*'] }, plan), 'OUTBOUND_EMERGENCY', number);
    assert.equal(judged('999', {}, numberingPlan({ country: 'GB' })), 'OUTBOUND_EMERGENCY');
    assert.equal(judged('110', {}, numberingPlan({ country: 'DE' })), 'OUTBOUND_EMERGENCY');
  });

  it('never dials one behind what gets an outside line, though the plan has extensions of that form', () => {
    const wide = numberingPlan({ country: 'RU', extensionPattern: '0XXX, 9XXX, 8XXX, 7XXX' });
    for (const number of ['9-112', '9112', '8 112', '0112', '+7112', '7112', '8911', '8-10-112', '0 0 112'])
      for (const plan of [russia, wide])
        assert.ok(
          ['OUTBOUND_EMERGENCY', 'OUTBOUND_NOT_A_NUMBER'].includes(judged(number, { allow: ['*'] }, plan)),
          number,
        );
    assert.equal(judged('9112', {}, wide), 'OUTBOUND_EMERGENCY');
    assert.equal(judged('9113', {}, wide), 'ok');
  });

  it('never dials one of the country behind what gets an outside line, unless a phone has that extension', () => {
    const behind: readonly (readonly [country: string, numbers: readonly string[]])[] = [
      ['GB', ['9999', '0999', '9-999', '99999']],
      ['DE', ['0110', '9110', '00110']],
      ['FR', ['017', '915', '018']],
      ['PL', ['0997', '9998']],
      ['RU', ['901', '902', '003', '904']],
    ];
    for (const [country, numbers] of behind) {
      const plan = numberingPlan({ country, extensionPattern: 'XXX, XXXX, XXXXX' });
      const withPhones = createGuard(DEFAULT_DIALLING, plan, new FakeClock(), () => true);
      for (const number of numbers) {
        assert.equal(judged(number, {}, plan), 'OUTBOUND_EMERGENCY', `${country} ${number}`);
        assert.equal(withPhones.objection({ number }), undefined, `${country} ${number}`);
      }
      for (const number of country === 'GB' ? ['999'] : ['112', '911'])
        assert.equal(withPhones.objection({ number })?.code, 'OUTBOUND_EMERGENCY', number);
    }
    for (const number of ['101', '104', '201', '601', '802', '9101', '8204'])
      assert.equal(judged(number), 'ok', number);
  });

  it('leaves the first phones of a Russian PBX to its plan, though ambulances have the same numbers', () => {
    assert.equal(judged('103'), 'ok');
    assert.equal(judged('103', {}, numberingPlan({ country: 'RU', extensionPattern: '2XX' })), 'OUTBOUND_NOT_A_NUMBER');
  });

  it('takes no feature code and nothing that is no number', () => {
    for (const number of ['*72101', '#31#+74951343060', '*21*84951343060#', '101#'])
      assert.equal(judged(number), 'OUTBOUND_FEATURE_CODE', number);
    for (const number of [
      '',
      'reception',
      '101&102',
      'PJSIP/101',
      '+7',
      '0890123',
      '1'.repeat(300),
      '101\r\nAction: X',
    ])
      assert.equal(judged(number), 'OUTBOUND_NOT_A_NUMBER', number.slice(0, 30));
  });

  it('judges by the E.164 when it was given, for that is what will be dialled', () => {
    assert.equal(judged('101', {}, russia, '+18765551234'), 'OUTBOUND_ABROAD');
    assert.equal(judged('+74951343060', {}, russia, '112'), 'OUTBOUND_NOT_A_NUMBER');
    assert.equal(judged('*72', {}, russia, '+74951343060'), 'OUTBOUND_FEATURE_CODE');
    assert.equal(judged('8 495 134-30-60 доб. 12', {}, russia, '+74951343060'), 'ok');
  });

  it('lets deny win over allow', () => {
    const settings = { allow: ['+7*', '+375*'], deny: ['+77*', '+74951343060'] };
    assert.equal(judged('+375291234567', settings), 'ok');
    assert.equal(judged('+77011234567', settings), 'OUTBOUND_DENIED');
    assert.equal(judged('84951343060', settings), 'OUTBOUND_DENIED');
    assert.equal(judged('84951343061', settings), 'ok');
    assert.equal(judged('+442071234567', settings), 'OUTBOUND_NOT_ALLOWED');
    assert.equal(judged('84951343060', { deny: ['+7495*'] }), 'OUTBOUND_DENIED');
  });

  it('property: whatever is typed, there is an answer, and no code, emergency number or premium number passes', () => {
    const digits = fc.string({ unit: fc.constantFrom(...Array.from('0123456789')), maxLength: 16 });
    const typed = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 400 }),
      digits,
      digits.map((text) => `+${text}`),
    );
    fc.assert(
      fc.property(typed, (number) => {
        const verdict = judged(number);
        if (/[*#]/.test(number)) assert.notEqual(verdict, 'ok');
        if (/^\+?7?(112|911|80[39]\d{7})$/.test(number)) assert.notEqual(verdict, 'ok');
        assert.ok((guardWith().objection({ number })?.message.length ?? 0) < 600);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the rules for dialling: how often', () => {
  it('hands on to the next guard what no store knows of, each call once', () => {
    const clock = new FakeClock();
    const make = () => createGuard({ ...DEFAULT_DIALLING, perCaller: 3 }, russia, clock);
    const first = make();
    assert.ok(first.take('101', 'transfer-1').free);
    assert.ok(first.take('101').free, 'an order, which the store tells of');
    clock.advance(1000);
    const second = make();
    second.remember(first.begun?.() ?? []);
    second.remember([{ id: 'order-1', by: '101', at: clock.now() - 1000 }]);
    second.remember(first.begun?.() ?? []);
    assert.ok(second.take('101', 'transfer-2').free);
    assert.equal(second.take('101').free, false);
    clock.advance(10_000);
    const third = make();
    third.remember(second.begun?.() ?? []);
    assert.equal(third.take('101').free, false);
    clock.advance(50_000);
    assert.ok(third.take('101').free);
  });

  const limits = { ...DEFAULT_DIALLING, perMinute: 5, perCaller: 2 };

  it('gives so many places a minute to all, and says when the next is free', () => {
    const clock = new FakeClock();
    const guard = createGuard(limits, russia, clock);
    for (let call = 0; call < 5; call += 1) {
      assert.deepEqual(guard.take(undefined), { free: true });
      clock.advance(1000);
    }
    const refused = guard.take('101');
    assert.ok(!refused.free);
    assert.equal(refused.error.code, 'OUTBOUND_TOO_MANY');
    assert.equal(refused.at, clock.now() + 55_000);
    assert.match(refused.error.message, /55 s/);
    clock.advance(54_999);
    assert.equal(guard.take('101').free, false);
    clock.advance(1);
    assert.equal(guard.take('101').free, true);
    assert.equal(guard.take('101').free, false);
  });

  it('gives fewer to one caller, without taking them from the others', () => {
    const clock = new FakeClock();
    const guard = createGuard(limits, russia, clock);
    assert.ok(guard.take('101').free && guard.take('101').free);
    for (let click = 0; click < 100; click += 1) {
      const refused = guard.take('101');
      assert.ok(!refused.free);
      assert.equal(refused.error.code, 'OUTBOUND_TOO_MANY_BY_CALLER');
      assert.equal(refused.at, clock.now() + 60_000);
    }
    assert.ok(guard.take('102').free && guard.take('102').free && guard.take('103').free);
  });

  it('knows a caller however he is spelled', () => {
    const guard = createGuard(limits, russia, new FakeClock());
    assert.ok(guard.take('Anna 7').free && guard.take(' anna7\u200b').free);
    for (const by of ['ANNA 7', 'a n n a 7', 'Anna\u202e７', 'anna７'])
      assert.equal(guard.take(by).free, false, JSON.stringify(by));
  });

  it('is not deceived by a jump of the wall clock', () => {
    const clock = new FakeClock();
    const guard = createGuard({ ...limits, perMinute: 1 }, russia, clock);
    assert.ok(guard.take(undefined).free);
    clock.jumpWall(3_600_000);
    assert.equal(guard.take(undefined).free, false);
    clock.jumpWall(-7_200_000);
    clock.advance(60_000);
    assert.ok(guard.take(undefined).free);
  });

  it('counts what an earlier process began, each call once and for as long as any other', () => {
    const clock = new FakeClock();
    const now = clock.now();
    const guard = createGuard(limits, russia, clock);
    const call = (id: string, ago: number, by?: string) => ({ id, by, at: now - ago });
    const begun = [call('1', 1), call('2', 10_000, '101'), call('3', 20_000, '101'), call('4', 60_000), call('5', -1)];
    guard.remember(begun);
    guard.remember(begun);
    const own = guard.take('101');
    assert.ok(!own.free);
    assert.deepEqual([own.error.code, own.at], ['OUTBOUND_TOO_MANY_BY_CALLER', now + 40_000]);
    assert.deepEqual(
      [guard.take(undefined).free, guard.take(undefined).free, guard.take(undefined).free],
      [true, true, false],
    );
    clock.advance(40_000);
    assert.ok(guard.take('101').free);
  });

  it('keeps no more of an earlier process than it needs', () => {
    const clock = new FakeClock();
    const guard = createGuard(limits, russia, clock);
    guard.remember(
      Array.from({ length: 1000 }, (_, n) => ({ id: `${n}`, by: undefined, at: clock.now() - 1 - n * 50 })),
    );
    const refused = guard.take(undefined);
    assert.ok(!refused.free);
    assert.equal(refused.at, clock.now() + 60_000 - 201);
  });

  it('property: no minute ever has more calls than the caps, and a place is free when it was promised', () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 30_000 }),
      by: fc.constantFrom('a', 'b', 'c', undefined),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const clock = new FakeClock();
        const guard = createGuard(limits, russia, clock);
        const begun: { at: number; by: string | undefined }[] = [];
        for (const { wait, by } of steps) {
          clock.advance(wait);
          const place = guard.take(by);
          const at = clock.now();
          if (place.free) begun.push({ at, by });
          else assert.ok(place.at > at && place.at <= at + 60_000);
          const minute = begun.filter((one) => one.at > at - 60_000);
          assert.ok(minute.length <= 5);
          for (const who of ['a', 'b', 'c']) assert.ok(minute.filter((one) => one.by === who).length <= 2);
        }
      }),
    );
  });
});
