/** Calls of a busy year: the same ones in every run. */
const DIRECTIONS = ['in', 'in', 'in', 'out', 'out', 'internal'];
const RESULTS = {
  in: ['answered', 'answered', 'answered', 'missed', 'abandoned'],
  out: ['answered', 'no-answer', 'busy'],
};
const BEGIN = Date.UTC(2025, 0, 1);
const YEAR = 365 * 24 * 60 * 60 * 1000;

const EXTENSIONS = 200;
const NUMBERS = 100_000;
const QUEUES = 20;

/** A number below `below` that looks random and is the same in every run. */
function drawn(n, what, below) {
  let mixed = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(what, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return ((mixed ^ (mixed >>> 13)) >>> 0) % below;
}

export const extensionOf = (n) => String(100 + drawn(n, 1, EXTENSIONS));
export const numberOf = (n) => String(84_950_000_000 + drawn(n, 2, NUMBERS));
export const queueOf = (n) => `queue${drawn(n, 3, QUEUES)}`;
export const startOf = (n, of) => BEGIN + Math.floor((n / of) * YEAR);

/** The `n`th call of `of`. One in ten thousand has a result that no other call has. */
export function call(n, of) {
  const direction = DIRECTIONS[drawn(n, 4, DIRECTIONS.length)];
  const results = RESULTS[direction] ?? ['answered'];
  const result = n % 10_000 === 5_000 ? 'voicemail' : results[drawn(n, 5, results.length)];
  const startedAt = startOf(n, of);
  const time = (seconds) => new Date(startedAt + seconds * 1000).toISOString();
  const callId = `${Math.floor(startedAt / 1000)}.${n}`;
  const extension = extensionOf(n);
  const number = numberOf(n);
  return {
    eventId: `${callId}-call_record`,
    pbx: drawn(n, 6, 5) === 0 ? 'Branch' : 'Office',
    callId,
    direction,
    ...(direction === 'internal'
      ? { peer: { extension: extensionOf(n + 1) } }
      : { client: { number, e164: `+7${number.slice(1)}` }, line: { number: '74950000001', trunk: 'provider' } }),
    extension,
    ...(direction === 'in' ? { queue: { id: queueOf(n), name: queueOf(n).replace('q', 'Q') } } : {}),
    startedAt: time(0),
    answeredAt: time(12),
    endedAt: time(95),
    waitSeconds: 12,
    talkSeconds: 83,
    holdSeconds: 0,
    result,
    hangup: { code: 16, text: 'Normal Clearing', by: 'client' },
    rung: [extension],
    talked: [extension],
    legs: [
      { legId: `${callId}1`, extension, ringingAt: time(4), answeredAt: time(12), endedAt: time(95), talkSeconds: 83 },
    ],
    firstExtension: extension,
    lastExtension: extension,
  };
}
