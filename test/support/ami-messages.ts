import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AmiMessage } from '../../lib/ami/types';

type Header = readonly [name: string, value: string];

/** A message as a test wants it: what the client would hand out, without a socket. */
export function amiMessage(kind: AmiMessage['kind'], name: string, headers: readonly Header[]): AmiMessage {
  // Tests of calls play thousands of recordings: a look must not go through all headers.
  const values = new Map<string, string[]>();
  for (const [key, value] of headers) {
    const lower = key.toLowerCase();
    values.set(lower, [...(values.get(lower) ?? []), value]);
  }
  return {
    kind,
    name,
    get: (header) => values.get(header.toLowerCase())?.[0],
    all: (header) => [...(values.get(header.toLowerCase()) ?? [])],
    toObject: () => {
      const object = Object.create(null) as Record<string, string | string[]>;
      for (const [key, value] of headers) {
        const before = object[key];
        object[key] = before === undefined ? value : [before, value].flat();
      }
      return object;
    },
  };
}

/** An event of plain values: `amiEvent('DeviceStateChange', { Device: 'PJSIP/101', State: 'INUSE' })`. */
export function amiEvent(name: string, headers: Readonly<Record<string, string>> = {}): AmiMessage {
  return amiMessage('event', name, [['Event', name], ...Object.entries(headers)]);
}

/** The messages in recorded bytes, in order; the greeting and comment lines are left out. */
function readAmiText(text: string): AmiMessage[] {
  const withoutComments = text.replace(/^(?:;[^\n]*\n)+/, '').replace(/^Asterisk Call Manager[^\n]*\n/, '');
  const messages: AmiMessage[] = [];
  for (const block of withoutComments.split('\r\n\r\n')) {
    const headers = block
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line): Header => {
        const [, name = line, value = ''] = /^([^:]*): ?([\s\S]*)$/.exec(line) ?? [];
        return [name, value];
      });
    const [kind, name = ''] = headers[0] ?? [];
    if (kind === 'Event') messages.push(amiMessage('event', name, headers));
    else if (kind === 'Response') messages.push(amiMessage('response', name, headers));
  }
  return messages;
}

/** All messages of `test/fixtures/ami/<name>.txt`. */
export function recordedMessages(name: string): AmiMessage[] {
  return readAmiText(readFileSync(join(__dirname, '..', 'fixtures', 'ami', `${name}.txt`), 'utf8'));
}
