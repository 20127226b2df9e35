import { readFileSync } from 'node:fs';

const RECORDING = new URL('../../test/fixtures/ami/inbound-answered-caller-hangs-up.txt', import.meta.url);
/** The first Uniqueid of the recording begins with it; a Timestamp has more digits behind the point. */
const ID = /\b1795203503\.(\d{1,4})(?!\d)/g;
const BEGIN = 1_795_203_503;
const CHANNELS = 2;

/**
 * One recorded call (a client calls 101, who answers; the client hangs up), as calls of which each has ids, names of channels, a
 * bridge, a number and a time of its own. Only the events that the pack reads for the life of calls.
 * @param names of those events
 */
export function callCopies(names) {
  const wanted = new Set(names);
  const messages = readFileSync(RECORDING, 'utf8')
    .replace(/^(;.*\n)+/, '')
    .split('\r\n\r\n')
    .filter((message) => wanted.has(/^Event: (\S+)/.exec(message)?.[1]));
  const half = messages.findIndex((message) => message.startsWith('Event: HangupRequest'));
  return {
    events: messages.length,
    /** From the first event until both talk; `at`: when it begins, in seconds. */
    begin: (n, at) => copies(messages.slice(0, half), n, at),
    /** From the hang-up to the last event. */
    end: (n, at) => copies(messages.slice(half), n, at),
  };
}

function copies(messages, n, at) {
  const from = stampOf(messages[0]);
  const hex = (value, length) => value.toString(16).padStart(length, '0');
  return messages.map((message) => {
    const stamp = at + stampOf(message) - from;
    const text = message
      .replace(/^Timestamp: \S+/m, `Timestamp: ${stamp.toFixed(6)}`)
      .replace(ID, (_whole, channel) => `${BEGIN}.${n * CHANNELS + Number(channel)}`)
      .replace(/(PJSIP\/[\w-]+-)([0-9a-f]{8})\b/g, (_whole, name) => name + hex(n, 8))
      .replace(
        /\b([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b/g,
        (_whole, _n, rest) => hex(n, 8) + rest,
      )
      .replaceAll('79261112233', `7926${String(n).padStart(7, '0')}`);
    return { at: stamp * 1000, bytes: Buffer.from(text) };
  });
}

const stampOf = (message) => Number(/^Timestamp: (\S+)/m.exec(message)[1]);
