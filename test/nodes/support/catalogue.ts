import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lang } from '../../../lib/errors';

const LOCALES = join(__dirname, '..', '..', '..', 'nodes', 'locales');
const FOLDER: Readonly<Record<Lang, string>> = { en: 'en-US', ru: 'ru' };

/** The parsed catalogue of one node type, an empty object when the node has none. */
export function catalogue(type: string, lang: Lang): Record<string, unknown> {
  const file = join(LOCALES, FOLDER[lang], `${type}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
}

/** The text at `a.b.c` in a catalogue, `undefined` when there is none. */
export function textAt(tree: unknown, path: string): string | undefined {
  let at: unknown = tree;
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return typeof at === 'string' ? at : undefined;
}

/**
 * `RED._` as Node-RED gives it: the node's own catalogue (`ami-event.…`), or another's by `<module>/<type>:<key>`;
 * `__name__` is replaced by the parameter; a key that is in no catalogue comes back as it stands.
 */
export function translator(lang: Lang) {
  const read = new Map<string, Record<string, unknown>>();
  return (id: string, params: Record<string, string | number> = {}): string => {
    const key = id.slice(id.indexOf(':') + 1);
    const type = key.slice(0, key.indexOf('.'));
    const tree = read.get(type) ?? catalogue(type, lang);
    read.set(type, tree);
    const text = textAt(tree, key) ?? id;
    return text.replace(/__(\w+?)__/g, (whole, name: string) => String(params[name] ?? whole));
  };
}
