import assert from 'node:assert/strict';
import fc from 'fast-check';
import { regionOf } from '../../../lib/phone/region';
import { RUSSIAN_REGIONS } from '../../../lib/phone/region-data';
import { readRegionTable } from '../../../lib/phone/region-table';
import { timeZonesOf } from '../../../lib/phone/time-zones';

const table = (text: string, size = 7, pause?: () => Promise<void>) => {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
  return readRegionTable(chunks, pause);
};
const REGISTRY = `\uFEFFАВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН
301;2110000;2129999;20000;"ПАО ""Ростелеком; Сибирь""";г. Улан-Удэ|Республика Бурятия;;7707049388
900;0000000;0061999;62000;ООО "Т2 Мобайл";Краснодарский край;;7743895280
911;0000000;0009999;10000;ПАО "МТС";г. Санкт-Петербург и Ленинградская область;;7740000076
914;2200000;2299999;100000;ПАО "МТС";Республика Саха /Якутия/;;7740000076
922;0550000;0559999;10000;ПАО "МегаФон";Ямало-Ненецкий АО;;7812014560
958;0000000;0009999;10000;ООО "Х";Российская Федерация;;1
9x8;0000000;0009999;10000;ООО "Х";Омская обл.;;1
`;

describe('region of a number', () => {
  it('is known by the area code in Russia, in both languages', () => {
    assert.deepEqual(regionOf('+74951343060', 'en'), { country: 'RU', name: 'Moscow', timeZone: 'Europe/Moscow' });
    assert.deepEqual(regionOf('+73432345678', 'ru'), {
      country: 'RU',
      name: 'Свердловская область',
      timeZone: 'Asia/Yekaterinburg',
    });
    assert.equal(regionOf('+78182205678', 'en')?.name, 'Arkhangelsk Oblast');
    assert.equal(regionOf('+78185342345', 'en')?.name, 'Nenets Autonomous Okrug');
  });

  it('is absent rather than wrong', () => {
    assert.deepEqual(regionOf('+79161112233', 'ru'), { country: 'RU' }, 'a mobile number');
    assert.deepEqual(regionOf('+78001112233', 'ru')?.name, undefined, 'a free number');
    assert.equal(regionOf('+74981112233', 'ru')?.name, undefined, 'a code of two regions');
    assert.deepEqual(regionOf('+375291234567', 'en'), { country: 'BY', timeZone: 'Europe/Minsk' });
    assert.equal(regionOf('+12125551234', 'en')?.name, undefined);
    for (const none of ['', '101', '+7495', '+999123456789', 'x']) assert.equal(regionOf(none, 'en'), undefined, none);
  });

  it('is no other in the rest of +7, and where a code is claimed by two', () => {
    for (const kazakh of ['+77272345678', '+77123456789', '+77011234567']) {
      assert.deepEqual(regionOf(kazakh, 'ru'), { country: 'KZ', timeZone: 'Asia/Almaty' }, kazakh);
    }
    // Crimea by wire has the clock of Moscow; its mobile numbers, Abkhazia and numbers that nobody gave out tell nothing.
    assert.equal(regionOf('+73652123456', 'ru')?.name, undefined);
    assert.deepEqual(regionOf('+79787123456', 'ru'), { country: 'RU' });
    for (const none of ['+78402212345', '+79407123456']) assert.equal(regionOf(none, 'ru'), undefined, none);
  });

  it('has area codes of one region each, whose clock is that of the number', () => {
    const codes = RUSSIAN_REGIONS.flatMap((region) => region.codes.split(' ').map((code) => [code, region] as const));
    assert.equal(new Set(codes.map(([code]) => code)).size, codes.length);
    for (const [code, { timeZone, en }] of codes) {
      const zones = timeZonesOf(`+7${code.padEnd(10, '2')}`);
      if (timeZone === undefined || zones.length !== 1) continue;
      const clocks = [zones[0], timeZone].map((zone) =>
        new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).format(Date.UTC(2026, 5, 1)),
      );
      assert.equal(clocks[0], clocks[1], `${en} ${code}`);
    }
  });

  it('is read from the registry of the Russian regulator as it is', async () => {
    const registry = await table(REGISTRY);
    assert.deepEqual([registry.size, registry.skipped], [5, 2]);
    assert.deepEqual(regionOf('+79000061999', 'ru', registry), {
      country: 'RU',
      name: 'Краснодарский край',
      timeZone: 'Europe/Moscow',
    });
    assert.deepEqual(regionOf('+79000062000', 'ru', registry), { country: 'RU' });
    assert.equal(regionOf('+73012115555', 'en', registry)?.name, 'Buryatia');
    assert.deepEqual(regionOf('+79110001234', 'en', registry), {
      country: 'RU',
      name: 'Leningrad Oblast, Saint Petersburg',
      timeZone: 'Europe/Moscow',
    });
    assert.deepEqual(regionOf('+79142212345', 'ru', registry), { country: 'RU', name: 'Республика Саха /Якутия/' });
    assert.equal(regionOf('+79220551234', 'en', registry)?.name, 'Yamalo-Nenets Autonomous Okrug');
    assert.deepEqual(regionOf('+79580001234', 'ru', registry), { country: 'RU' }, 'given out all over the country');
  });

  it('is read from a table of the admin, wherever a chunk ends', async () => {
    const text =
      'from;to;region;zone\r\n79160000000;79169999999;"Москва; область";Europe/Moscow\r\n375290000000;375299999999;Минск\r\n1;2;bad zone;Mars/Base';
    for (const size of [1, 3, 1000]) {
      const own = await table(text, size);
      assert.deepEqual([own.size, own.skipped], [2, 2]);
      assert.deepEqual(regionOf('+79161112233', 'en', own), {
        country: 'RU',
        name: 'Москва; область',
        timeZone: 'Europe/Moscow',
      });
      assert.deepEqual(regionOf('+375291234567', 'ru', own), {
        country: 'BY',
        name: 'Минск',
        timeZone: 'Europe/Minsk',
      });
    }
  });

  it('is what a plain search in the table finds', async () => {
    const ranges = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(ranges, fc.integer({ min: 0, max: 999_999 }), async (decades, tail) => {
        const rows = decades.map(
          (decade) => [79160000000 + decade * 10_000, 79160000000 + decade * 10_000 + 5000] as const,
        );
        const own = await table(rows.map(([from, to], n) => `${from};${to};r${n}`).join('\n'), 64);
        const number = 79160000000 + tail;
        const at = rows.findIndex(([from, to]) => number >= from && number <= to);
        assert.equal(own.find(`+${number}`, 'en')?.name, at < 0 ? undefined : `r${at}`);
      }),
      { numRuns: 50 },
    );
  });

  it('is that of the narrowest range, and around it that of the wider one', async () => {
    const own = await table('7900;7999;country\n7910;7959;region\n7920;7929;town\n7920;7939;district\n7999;8000;other');
    const found = [7905, 7915, 7925, 7935, 7945, 7965, 7999, 8000, 8001, 7899].map(
      (n) => own.find(`+${n}`, 'en')?.name,
    );
    assert.deepEqual(found, [
      'country',
      'region',
      'town',
      'district',
      'region',
      'country',
      'other',
      'other',
      undefined,
      undefined,
    ]);
    const bounds = fc
      .tuple(fc.nat(300), fc.nat(300))
      .map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
    await fc.assert(
      fc.asyncProperty(fc.array(bounds, { minLength: 1, maxLength: 30 }), fc.nat(300), async (ranges, number) => {
        const any = await table(ranges.map(([from, to], n) => `${from! + 1000};${to! + 1000};r${n}`).join('\n'), 999);
        const holding = ranges
          .filter(([from, to]) => number >= from! && number <= to!)
          .sort(([one, oneEnd], [other, otherEnd]) => other! - one! || oneEnd! - otherEnd!);
        const name = any.find(`+${number + 1000}`, 'en')?.name;
        assert.deepEqual(name === undefined ? undefined : ranges[Number(name.slice(1))], holding[0]);
      }),
      { numRuns: 200 },
    );
  });

  it('is read from a large table without long stops', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `${79000000000 + n};${79000000000 + n};R${n % 80};Asia/Omsk`);
    const begun = performance.now();
    const own = await table(rows.join('\n'), 65_536);
    assert.equal(own.size, 20_000);
    // With a look at each time zone it takes seconds.
    assert.ok(performance.now() - begun < 4000, `${performance.now() - begun} ms`);
  });

  it('is sorted with a pause after every few milliseconds, also when all numbers lie close together', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => {
      const start = 79_160_000_000 + ((n * 7919) % 20_000) * 10;
      return `${start};${start + 9};R${n % 80}`;
    });
    let pauses = 0;
    const own = await table(rows.join('\n'), 65_536, () => {
      pauses += 1;
      return Promise.resolve();
    });
    // 15 rounds of merging, 50 000 steps at once.
    assert.ok(pauses >= 6, `${pauses} pauses`);
    for (const n of [0, 1, 9_999, 19_999])
      assert.equal(own.find(`+${79_160_000_000 + ((n * 7919) % 20_000) * 10 + 5}`, 'en')?.name, `R${n % 80}`);
  });

  it('is refused when it has more regions than a table of regions can have', async () => {
    const rows = Array.from({ length: 50_001 }, (_, n) => `${79160000000 + n};${79160000000 + n};R${n}`);
    await assert.rejects(table(rows.join('\n'), 65_536), { code: 'REGION_TABLE_TOO_LARGE' });
  });

  it('is refused in words when there is nothing to read, and harmless when a line has no end', async () => {
    for (const text of ['', 'a;b;c\n', 'x'.repeat(100_000)]) {
      await assert.rejects(table(text, 5000), { code: 'REGION_TABLE_BAD' });
    }
  });
});
