/** The classes of manager.conf. */
const allClasses = [
  'system',
  'call',
  'log',
  'verbose',
  'command',
  'agent',
  'user',
  'config',
  'dtmf',
  'reporting',
  'cdr',
  'dialplan',
  'originate',
  'agi',
  'cc',
  'aoc',
  'test',
  'security',
  'message',
] as const;

export type Classes = ReadonlySet<string>;

const every: Classes = new Set(allClasses);

/** Classes as a user of manager.conf has them; `all` means every one, absent too. */
export function classesOf(names: readonly string[] | undefined): Classes {
  return names === undefined || names.includes('all') ? every : new Set(names);
}

/** An `Events` or `EventMask` header: `on`, `off`, or classes divided by commas. Unknown classes count for nothing. */
export function eventMask(text: string): Classes {
  const word = text.trim().toLowerCase();
  if (['on', 'yes', 'true', 'y', 't', '1', 'all'].includes(word)) return every;
  return new Set(
    word
      .split(',')
      .map((name) => name.trim())
      .filter((name) => every.has(name)),
  );
}

/** An action needs one of its classes; without classes everybody may. */
export function mayUse(needed: readonly string[], granted: Classes): boolean {
  return needed.length === 0 || needed.some((name) => granted.has(name));
}
