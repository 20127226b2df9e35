import { createHmac, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { AmiClient, AmiMessage } from '../ami/types';
import { systemClock } from '../clock';
import type { Clock } from '../clock';

export interface TraceOptions {
  /** Must not exist yet; only its owner may read it. */
  readonly file: string;
  readonly seconds: number;
  /** The recording ends before the file would be longer. */
  readonly maxBytes: number;
  /** Replaces the last seven digits of every phone number, the same number always by the same digits. */
  readonly maskNumbers: boolean;
}

export interface TraceResult {
  readonly events: number;
  readonly bytes: number;
}

/** Headers whose digits are no phone number. */
const NO_NUMBER = /^(?:.*uniqueid|.*linkedid|actionid|timestamp|.*time|sequence)$/i;

/**
 * Writes every event that the link hears into a file, as Asterisk sends them, until the time is over, the file is full or
 * the link is closed. Rejects with the error of the file system; the events that came until then stay in the file.
 */
export async function recordTrace(
  client: AmiClient,
  { file, seconds, maxBytes, maskNumbers }: TraceOptions,
  clock: Clock = systemClock,
): Promise<TraceResult> {
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  const mask = maskNumbers ? numberMask() : (text: string) => text;
  let events = 0;
  let bytes = 0;
  let isOver = false;
  const write = (text: string): void => {
    if (isOver) return;
    const size = Buffer.byteLength(text);
    if (bytes + size > maxBytes) {
      end();
      return;
    }
    bytes += size;
    out.write(text);
  };
  const forget = [
    client.subscribe('*', (event) => {
      write(textOf(event, mask));
      if (!isOver) events++;
    }),
    client.onState(({ phase }) => {
      if (phase === 'closed') end();
      else write(`; the link is ${phase}\n`);
    }),
  ];
  const timer = clock.after(seconds * 1000, () => end());
  const end = (): void => {
    isOver = true;
    timer.cancel();
    forget.forEach((one) => one());
    out.end();
  };
  write(
    `; ${new Date(clock.now()).toISOString()}, AMI ${client.state.amiVersion ?? '?'}${maskNumbers ? ', numbers masked' : ''}\n`,
  );
  try {
    await finished(out);
  } finally {
    end();
  }
  return { events, bytes };
}

function textOf(event: AmiMessage, mask: (text: string) => string): string {
  let text = '';
  for (const [name, values] of Object.entries(event.toObject())) {
    for (const value of [values].flat()) text += `${name}: ${NO_NUMBER.test(name) ? value : mask(value)}\r\n`;
  }
  return `${text}\r\n`;
}

/**
 * Keeps what tells the country and the area, so that a numbering plan reads the number as before. A run of digits that a dot
 * and digits follow is an id of a channel, which begins with a time.
 */
function numberMask(): (text: string) => string {
  const key = randomBytes(32);
  return (text) =>
    text.replace(/[0-9]{7,}(?!\.?[0-9])/g, (digits) => {
      const hash = createHmac('sha256', key).update(digits.slice(-10)).digest().readUInt32BE();
      return digits.slice(0, -7) + String(hash % 10_000_000).padStart(7, '0');
    });
}
