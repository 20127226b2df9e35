import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', '..', '..', 'nodes', 'agent-page');
/** What the server tells of a call of the day, which the page shows in its own words. */
const TOLD = [
  'in',
  'out',
  'internal',
  'answered',
  'missed',
  'busy',
  'no-answer',
  'cancelled',
  'abandoned',
  'voicemail',
];

const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

describe('the texts of the agent page', () => {
  const [, en = '', ru = ''] = read('texts.js').split(/^  (?:en|ru): \{$/m);
  const keysOf = (part: string): string[] => [...part.matchAll(/^    '?([\w-]+)'?: /gm)].map(([, key = '']) => key);

  it('are the same in both languages', () => {
    assert.ok(keysOf(en).length > 50);
    assert.deepEqual(keysOf(ru), keysOf(en));
  });

  it('are all shown somewhere', () => {
    const others = readdirSync(FOLDER).filter((name) => /\.(?:js|html)$/.test(name) && name !== 'texts.js');
    const code = others.map(read).join('\n');
    const isShown = (key: string): boolean =>
      TOLD.includes(key) || new RegExp(`texts\\.${key}\\b|['"]${key}['"]`).test(code);
    assert.deepEqual(
      keysOf(en).filter((key) => !isShown(key)),
      [],
    );
  });
});
