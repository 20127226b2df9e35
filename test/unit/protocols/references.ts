/**
 * The other side of the wire, written from its own rules and not from the code under test.
 */

/** Asterisk's split of an argument list at commas: quotes and backslashes are taken away, brackets protect. */
function splitArguments(list: string): string[] {
  const fields = [''];
  let quoted = false;
  const depth = { '(': 0, '[': 0 };
  for (let at = 0; at < list.length; at += 1) {
    const sign = list[at]!;
    const add = (text: string) => fields.push(`${fields.pop() ?? ''}${text}`);
    if (sign === '(' || sign === '[') depth[sign] += 1;
    else if (sign === ')') depth['('] = Math.max(0, depth['('] - 1);
    else if (sign === ']') depth['['] = Math.max(0, depth['['] - 1);
    if (sign === '"') quoted = !quoted;
    else if (sign === '\\') add(list[(at += 1)] ?? '');
    else if (sign === ',' && !quoted && depth['('] === 0 && depth['['] === 0) fields.push('');
    else add(sign);
  }
  return fields;
}

/** What `HASH(forwardHash,…)` holds after `Set(HASH(forwardHash)=${CURL(…)})` with `CURLOPT(hashcompat)=yes`. */
export function asteriskHash(body: string): Record<string, string> {
  const pieces = body.split('&').map((piece) => {
    const equals = piece.indexOf('=');
    const decode = (text: string) => decodeURIComponent(text);
    return equals < 0 ? [decode(piece), ''] : [decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))];
  });
  const escape = (text = '') => text.replace(/[\\,]/g, '\\$&');
  const names = pieces.map(([name]) => escape(name)).join(',');
  const values = splitArguments(pieces.map(([, value]) => escape(value)).join(','));
  return Object.fromEntries(splitArguments(names).map((name, index) => [name, values[index] ?? '']));
}

/** The text of every element of a flat `<crm>` document; throws when it is not well-formed XML 1.0. */
export function flatXml(document: string): Record<string, string> {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u.test(document))
    throw new Error('illegal character');
  const [, inside] =
    /^<\?xml version="1\.0" encoding="UTF-8" standalone="yes"\?><crm>([\s\S]*)<\/crm>$/.exec(document) ?? [];
  if (inside === undefined) throw new Error(`no crm document: ${document}`);
  const fields: Record<string, string> = {};
  const rest = inside.replace(/<(\w+)>([^<>]*)<\/\1>/g, (_element, name: string, text: string) => {
    if (/&(?!(?:amp|lt|gt|quot|apos);)/.test(text)) throw new Error(`unknown entity: ${text}`);
    const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
    fields[name] = text.replace(/&(\w+);/g, (_entity, entity: string) => entities[entity]!);
    return '';
  });
  if (rest !== '') throw new Error(`not well-formed: ${rest}`);
  return fields;
}
