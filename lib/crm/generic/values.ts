import { isObject, scalar } from '../json';

/** What a path that met several values means here: the first of them. */
export const first = (value: unknown): string | undefined =>
  Array.isArray(value) ? value.map(scalar).find((one) => one !== undefined) : scalar(value);

/** What a condition says by JSON's lights: false, null, 0, the empty text, list and object are not. */
export function isSomething(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isSomething);
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}
