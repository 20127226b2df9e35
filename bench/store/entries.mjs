/** What waits for delivery: an event of a call, about 700 bytes. */
export function entry(n) {
  const callId = `1760000000.${n >> 2}`;
  const eventId = `${callId}-${n & 3}`;
  return {
    queue: 'node1',
    eventId,
    orderKey: callId,
    acceptedAt: 1_760_000_000_000 + n,
    body: JSON.stringify({ topic: 'call_hangup', payload: { eventId, pbx: 'Office', callId, note: 'x'.repeat(550) } }),
  };
}
