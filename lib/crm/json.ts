/** Reading of JSON that somebody else made: every shape is expected, nothing is believed. */

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same object; of anything else an empty one. */
export const asObject = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** The objects of a list; of anything else none. */
export const objects = (value: unknown): JsonObject[] =>
  Array.isArray(value) ? (value as unknown[]).filter(isObject) : [];

/** What the text says as JSON; `undefined` when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A text, number or boolean as trimmed text; everything else, and the empty text, is `undefined`. Ids come as numbers and texts alike. */
export function scalar(value: unknown): string | undefined {
  const text =
    typeof value === 'string'
      ? value.trim()
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : '';
  return text === '' ? undefined : text;
}

/** `{ [name]: value }`, or nothing when there is no value: for optional fields. */
export function optional<Name extends string, Value>(name: Name, value: Value | undefined) {
  return (value === undefined ? {} : { [name]: value }) as Readonly<Partial<Record<Name, Value>>>;
}

/** A foreign text as one line of at most `max` characters, fit for a message to a person. */
export function oneLine(text: string, max: number): string {
  const line = text
    .slice(0, 10_000)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}
