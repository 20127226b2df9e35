import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Lang } from '../../lib/errors';
import { catalogue, textAt } from './support/catalogue';

const root = join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly 'node-red': { readonly nodes: Readonly<Record<string, string>> };
};
const types = Object.keys(manifest['node-red'].nodes);
const read = (...path: string[]): string => readFileSync(join(root, 'nodes', ...path), 'utf8');

function keys(tree: unknown, at = ''): string[] {
  if (typeof tree !== 'object' || tree === null) return [at];
  return Object.entries(tree).flatMap(([key, below]) => keys(below, at === '' ? key : `${at}.${key}`));
}

const parameters = (text: string): string[] => [...text.matchAll(/__\w+?__/g)].map(([name]) => name).sort();

/** Every key of every catalogue in this language. */
const allKeys = (lang: Lang): string[] => types.flatMap((type) => keys(catalogue(type, lang)));

/** The keys that a source names: whole ones, and the beginnings of those that it puts together (they end in a dot or dash). */
function namedIn(source: string): string[] {
  const whole = [...source.matchAll(/'([a-z]+-[a-z]+(?:\.[\w-]+){2,})'/g)];
  const begun = [...source.matchAll(/`([a-z]+-[a-z]+(?:\.[\w-]+)*\.)\$\{/g)];
  return [...whole, ...begun].map(([, key = '']) => key);
}

/** Every text that a node can show below itself. */
const statuses = (lang: Lang): string[] =>
  types.flatMap((type) => {
    const tree = catalogue(type, lang);
    return keys(tree)
      .filter((key) => /\.(?:status|outcome)\./.test(key))
      .map((key) => textAt(tree, key) ?? '');
  });

/** The text of a status with whatever its parameters may become. */
function shapeOf(text: string): RegExp {
  const parts = text.split(/__(\w+?)__/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return part === 'reason' ? '.+' : '[^\\s:]+(?::\\d+)?';
  });
  return new RegExp(`^${parts.join('')}$`);
}

/** The statuses in the first columns of the tables of a page. */
const explainedIn = (page: string): string[] =>
  [...page.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/\*([^*]+)\*/g)].map(([, text = '']) => text),
  );

describe('texts of all nodes', () => {
  const runtime = (file: string): string => read('runtime', file);
  const words = (source: string, pattern: RegExp, before: string): string[] =>
    [...source.matchAll(pattern)].map(([, word = '']) => before + word);

  const named = (): string[] => {
    const [link, crm, store, endpoint] = [
      'link-status.ts',
      'crm-status.ts',
      'store-status.ts',
      'usercrm-endpoint.ts',
    ].map(runtime);
    const sources = [...types.map((type) => `${type}.ts`), ...readdirSync(join(root, 'nodes', 'runtime'))].map(
      (file) => (existsSync(join(root, 'nodes', file)) ? read(file) : runtime(file)),
    );
    const byCode = /^ {2}[A-Z_0-9]+: '([\w-]+)'/gm;
    const byKey = /\$\{KEY\}\.([\w-]+)`/g;
    return [
      ...sources.flatMap(namedIn),
      ...[byCode, byKey].flatMap((pattern) => words(link ?? '', pattern, 'ami-config.status.')),
      ...[byCode, byKey].flatMap((pattern) => words(crm ?? '', pattern, 'crm-config.status.')),
      ...[byCode, byKey].flatMap((pattern) => words(store ?? '', pattern, 'store-config.status.')),
      ...words(endpoint ?? '', /status\('\w+', '\w+', '([\w-]+)'\)/g, 'usercrm-in.status.'),
      ...words(read('usercrm-out.ts'), /trouble\('([\w-]+)'\)/g, 'usercrm-out.status.'),
    ];
  };

  for (const lang of ['en', 'ru'] as const) {
    it(`include every key that the code names (${lang})`, () => {
      const known = allKeys(lang);
      const wanted = named();
      assert.ok(wanted.length > 50, `${wanted.length} keys found in the code`);
      const missing = wanted.filter((key) =>
        key.endsWith('.') ? !known.some((each) => each.startsWith(key)) : !known.includes(key),
      );
      assert.deepEqual(missing, []);
    });
  }

  for (const [file, lang] of [
    ['README.md', 'en'],
    ['README.ru.md', 'ru'],
    [join('docs', 'troubleshooting.md'), 'en'],
    [join('docs', 'troubleshooting.ru.md'), 'ru'],
  ] as const) {
    const explained = (): string[] => explainedIn(readFileSync(join(root, file), 'utf8'));

    it(`are the statuses that ${file} explains`, () => {
      assert.ok(explained().length > 10, `${explained().length} statuses found`);
      const shapes = statuses(lang).map(shapeOf);
      assert.deepEqual(
        explained().filter((text) => !shapes.some((shape) => shape.test(text))),
        [],
      );
    });

    if (file.startsWith('docs')) {
      it(`have no status that ${file} does not explain`, () => {
        assert.deepEqual(
          statuses(lang).filter((text) => !explained().some((each) => shapeOf(text).test(each))),
          [],
        );
      });
    }
  }
});

for (const type of types) {
  describe(`texts of ${type}`, () => {
    const html = (): string => read(`${type}.html`);

    it('are in English and Russian, with the same keys and parameters', () => {
      const en = catalogue(type, 'en');
      const ru = catalogue(type, 'ru');
      assert.deepEqual(keys(ru).sort(), keys(en).sort());
      for (const key of keys(en)) {
        assert.notEqual(textAt(ru, key), '', key);
        assert.deepEqual(parameters(textAt(ru, key) ?? ''), parameters(textAt(en, key) ?? ''), key);
      }
      assert.equal(textAt(en, `${type}.language`), 'en');
      assert.equal(textAt(ru, `${type}.language`), 'ru');
    });

    it('include every key that the dialog names', () => {
      const named = [...html().matchAll(/data-i18n="([^"]+)"/g)]
        .flatMap(([, value = '']) => value.split(';'))
        .map((value) => value.replace(/^\[[\w-]+\]/, ''))
        .filter((key) => !key.startsWith('node-red:') && !key.startsWith('common.'));
      const known = new Set(keys(catalogue(type, 'en')));
      assert.deepEqual(
        named.filter((key) => !known.has(key)),
        [],
      );
    });

    it('include every key that the script of the dialog names', () => {
      const known = keys(catalogue(type, 'en'));
      const missing = [...html().matchAll(/\bt\('([\w.-]+)'( \+)?/g)].filter(([, key = '', isBegun]) =>
        isBegun === undefined
          ? !known.includes(`${type}.${key}`)
          : !known.some((each) => each.startsWith(`${type}.${key}`)),
      );
      assert.deepEqual(
        missing.map(([, key]) => key),
        [],
      );
    });

    for (const [folder, headings] of [
      ['en-US', ['Inputs', 'Outputs', 'Details']],
      ['ru', ['Входы', 'Выходы', 'Подробности']],
    ] as const) {
      it(`have help in ${folder}: a tooltip first, then ${headings.join(', ')}`, () => {
        const help = read('locales', folder, `${type}.html`);
        assert.match(help, new RegExp(`data-help-name="${type}">\\s*<p>[^<]`));
        for (const heading of headings) assert.ok(help.includes(`<h3>${heading}</h3>`), heading);
      });
    }

    it('name the types of the same properties in both languages', () => {
      const inRussian = new Map(
        Object.entries({ string: 'строка', number: 'число', object: 'объект', array: 'массив', boolean: 'логическое' }),
      );
      const typesIn = (folder: string): string[] =>
        [...read('locales', folder, `${type}.html`).matchAll(/"property-type">([^<]*)</g)].map(([, name = '']) => name);
      assert.deepEqual(
        typesIn('ru'),
        typesIn('en-US').map((name) => inRussian.get(name) ?? `${name} has no name`),
      );
    });

    it('fit under a node: about twenty characters for a status', () => {
      for (const lang of ['en', 'ru'] as const) {
        const tree = catalogue(type, lang);
        for (const key of keys(tree).filter((each) => /^[\w-]+\.(?:status|outcome)\./.test(each))) {
          const text = (textAt(tree, key) ?? '').replace(/__\w+?__/g, '101');
          assert.ok(text.length <= 24, `${lang} ${key}: "${text}" has ${text.length}`);
        }
      }
    });

    it('come with an icon of our own, white on nothing', () => {
      const icon = /icon: '([^']+)'/.exec(html())?.[1];
      if (icon === undefined) return;
      assert.match(icon, /^telephony-/);
      assert.ok(existsSync(join(root, 'icons', icon)), icon);
      const svg = readFileSync(join(root, 'icons', icon), 'utf8');
      assert.doesNotMatch(svg.replaceAll(/#fff(?:fff)?/gi, ''), /#[0-9a-f]{3,6}/i);
    });

    it('are written in colours of the theme only', () => {
      assert.doesNotMatch(html(), /(?:color|background|border)[\w-]*:\s*(?:#|rgb|white|black)/i);
    });
  });
}
