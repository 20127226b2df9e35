import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

    it('fit under a node: about twenty characters for a status', () => {
      for (const lang of ['en', 'ru'] as const) {
        const tree = catalogue(type, lang);
        for (const key of keys(tree).filter((each) => each.startsWith(`${type}.status.`))) {
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
