import { readdirSync, readFileSync } from 'node:fs';

const FIXTURES = new URL('../../test/fixtures/ami/', import.meta.url);
const END = Buffer.from('\r\n\r\n');
/** Events about the session itself: a client acts on them (reconnects, asks again), which is not parsing. */
const ABOUT_THE_SESSION = ['Shutdown', 'FullyBooted'];

/**
 * The events of all recordings, in order, as Asterisk wrote them, each with its empty line. Left out: answers, events
 * that belong to an answer (they carry its ActionID), and the two that speak of the session.
 */
export function recordedEvents() {
  const files = readdirSync(FIXTURES).filter((name) => name.endsWith('.txt'));
  return files.flatMap((name) => eventsOf(readFileSync(new URL(name, FIXTURES))));
}

function eventsOf(recording) {
  // latin1 keeps every byte as it is: the recordings hold UTF-8.
  const lines = recording.toString('latin1').replace(/^(;.*\n)+/, '');
  return lines
    .split('\r\n\r\n')
    .filter((message) => {
      const name = /^Event: (\S+)/.exec(message)?.[1];
      return name !== undefined && !ABOUT_THE_SESSION.includes(name) && !/\r\nActionID: /.test(message);
    })
    .map((message) => Buffer.concat([Buffer.from(message, 'latin1'), END]));
}

/** `count` events, the recorded ones over and over, as one buffer; and how many of them are called `Hangup`. */
export function repeatedEvents(count) {
  const recorded = recordedEvents();
  const messages = Array.from({ length: count }, (_, index) => recorded[index % recorded.length]);
  return {
    bytes: Buffer.concat(messages),
    kinds: new Set(recorded.map(nameOf)).size,
    recorded: recorded.length,
    hangups: messages.filter((message) => nameOf(message) === 'Hangup').length,
  };
}

const nameOf = (message) => message.subarray('Event: '.length, message.indexOf('\r\n')).toString('latin1');
