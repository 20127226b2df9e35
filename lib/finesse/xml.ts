/** One element of XML without namespaces; `text` is what stands in it directly, without blanks around it. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const MAX_DEPTH = 32;
/** The calls of one agent are some hundred elements. */
const MAX_ELEMENTS = 20_000;

// Comment or instruction, CDATA, end tag, start tag (with its end when empty), text. No DTD: nothing here declares entities.
const TOKEN =
  /<!--[^]*?-->|<\?[^]*?\?>|<!\[CDATA\[([^]*?)\]\]>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?]+)(?:\s+[^\s=<>/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>|([^<]+)/y;

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return NAMED[name] ?? whole;
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** The root element of a document, or `undefined` when the text is not well formed, has a DTD, or is beyond all measure. */
export function readXml(document: string): XmlElement | undefined {
  const top = { name: '', text: '', children: [] as XmlElement[] };
  const open = [top];
  const token = new RegExp(TOKEN);
  // A byte order mark would count as text before the root.
  const source = document.replace(/^\ufeff/, '').trim();
  for (let elements = 0; token.lastIndex < source.length;) {
    const found = token.exec(source);
    const inside = open.at(-1);
    if (found === null || inside === undefined) return undefined;
    const [, literal, ends, begins, empty, text] = found;
    if (literal !== undefined) inside.text += literal;
    if (text !== undefined) inside.text += decoded(text);
    if (begins !== undefined) {
      elements += 1;
      const element = { name: begins, text: '', children: [] };
      inside.children.push(element);
      if (empty === '') open.push(element);
      if (open.length > MAX_DEPTH || elements > MAX_ELEMENTS) return undefined;
    }
    if (ends !== undefined) {
      if (ends !== inside.name || open.length === 1) return undefined;
      inside.text = inside.text.trim();
      open.pop();
    }
  }
  const [root] = top.children;
  return open.length === 1 && top.children.length === 1 && top.text.trim() === '' ? root : undefined;
}

/** The first child of that name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((one) => one.name === name);

/** The text of the first child of that name; '' when there is none. */
export const textIn = (element: XmlElement | undefined, name: string): string => child(element, name)?.text ?? '';

/** A text as it may stand between two tags. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
