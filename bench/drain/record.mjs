/** The client of the `n`th call. */
export const numberOf = (n) => `+7495${1_000_000 + n}`;

/** The record of an answered call from outside that ended just now, each of another client. */
export function record(n, extension, now) {
  const at = (secondsAgo) => new Date(now - secondsAgo * 1000).toISOString();
  const callId = `${Math.floor(now / 1000)}.${n}`;
  const e164 = numberOf(n);
  const payload = {
    eventId: `Office:${callId}:record`,
    pbx: 'Office',
    callId,
    direction: 'in',
    client: { number: e164.replace('+7', '8'), e164 },
    line: { number: '74950000001', trunk: 'provider' },
    extension,
    startedAt: at(95),
    answeredAt: at(83),
    endedAt: at(0),
    waitSeconds: 12,
    talkSeconds: 83,
    holdSeconds: 0,
    result: 'answered',
    hangup: { code: 16, text: 'Normal Clearing', by: 'client' },
    rung: [extension],
    talked: [extension],
    legs: [{ legId: `${callId}1`, extension, ringingAt: at(91), answeredAt: at(83), endedAt: at(0), talkSeconds: 83 }],
    firstExtension: extension,
    lastExtension: extension,
  };
  return { topic: 'call_record', payload };
}
