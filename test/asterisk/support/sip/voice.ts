import { createSocket } from 'node:dgram';

const PACKET_MS = 20;
const SAMPLES = 160;
const HEADER_BYTES = 12;

/** 500 Hz in G.711 µ-law, about as loud as a person speaks; and silence. */
const SOUND = Buffer.from(Array.from({ length: SAMPLES }, (_, at) => ((at >> 3) & 1 ? 0x10 : 0x90)));
const SILENCE = Buffer.alloc(SAMPLES, 0xff);

/** Speaks into a call (RTP to where the SDP says) for so many milliseconds, then is silent, until the function it returns is called. */
export function voice(sdp: string, ms: number): () => void {
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  const started = performance.now();
  let sequence = 0;
  const timer = setInterval(() => {
    // A busy machine lets the timer lag; the far end hears a gap as silence.
    for (; sequence * PACKET_MS < performance.now() - started; sequence += 1) {
      const packet = Buffer.alloc(HEADER_BYTES + SAMPLES);
      packet[0] = 0x80;
      packet.writeUInt16BE(sequence & 0xff_ff, 2);
      packet.writeUInt32BE(sequence * SAMPLES, 4);
      packet.writeUInt32BE(7, 8);
      (sequence * PACKET_MS < ms ? SOUND : SILENCE).copy(packet, HEADER_BYTES);
      socket.send(packet, port, '127.0.0.1');
    }
  }, PACKET_MS);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    clearInterval(timer);
    socket.close();
  };
}
