/**
 * An address of the web, whole, that may be handed on: http or https, and no name or password in it, which would be shown or sent to
 * others. `undefined`: it is none. Never `javascript:`, `data:` or another scheme.
 */
export function webAddress(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && url.username === '' && url.password === '' ? url : undefined;
}
