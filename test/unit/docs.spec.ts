import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const below = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name)));
const pages = ['README.md', 'README.ru.md', 'CHANGELOG.md', ...below('docs')].filter((page) => page.endsWith('.md'));

/** A page without what stands in code blocks. */
const prose = (page: string): string => read(page).replace(/^```[\s\S]*?^```/gm, '```');

const headings = (page: string): string[] => prose(page).match(/^#+ .*$/gm) ?? [];

/** The anchor that GitHub and npm give to a heading. */
const anchor = (heading: string): string =>
  heading
    .replace(/^#+ /, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** What both languages of a page must have alike. */
function frame(page: string): object {
  const text = prose(page);
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return {
    headings: headings(page).map((heading) => heading.indexOf(' ')),
    rows: count(/^\|/gm),
    steps: count(/^\d+\. /gm),
    code: count(/^```$/gm),
    pictures: count(/!\[/g),
  };
}

describe('the pages', () => {
  for (const russian of pages.filter((page) => page.endsWith('.ru.md'))) {
    it(`say in ${russian} what they say in English: sections, steps, tables, pictures`, () => {
      assert.deepEqual(frame(russian), frame(russian.replace(/\.ru\.md$/, '.md')));
    });
  }

  it('link to sections that are there', () => {
    const broken = pages.flatMap((page) =>
      [...prose(page).matchAll(/\]\(([^)\s:]*)#([^)\s]+)\)/g)]
        .map(([, file = '', section = '']) => ({ target: file === '' ? page : join(dirname(page), file), section }))
        .filter(
          ({ target, section }) =>
            !existsSync(join(root, target)) || !headings(target).map(anchor).includes(decodeURIComponent(section)),
        )
        .map(({ target, section }) => `${page}: ${target}#${section}`),
    );
    assert.deepEqual(broken, []);
  });

  it('tell what each picture shows to whoever does not see it', () => {
    const silent = pages.filter((page) => /!\[\s*\]/.test(prose(page)));
    assert.deepEqual(silent, []);
  });
});
