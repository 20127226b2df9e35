import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Framer } from '../../../lib/ami/framing';
import { TextMessage } from '../../../lib/ami/message';

/** Bytes in use, inside and outside the heap, after a full collection. */
function inUse(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Reads pieces of 64 KiB and keeps what `pick` takes of each message. */
function keep(pieces: number, piece: () => Buffer, pick: (message: TextMessage) => string | undefined): string[] {
  const kept: string[] = [];
  const framer = new Framer({
    greeting: () => undefined,
    frame: (_head, bytes, start, end) => {
      const value = pick(new TextMessage('event', 'A', bytes.toString('utf8', start, end)));
      if (value !== undefined) kept.push(value);
    },
    overflow: () => undefined,
  });
  framer.push(Buffer.from('Asterisk Call Manager/11.0.0\r\n'));
  for (let n = 0; n < pieces; n++) framer.push(piece());
  return kept;
}

describe('AMI memory', () => {
  it('lets go of the read buffers though a value of each is kept', () => {
    const filler = ('Event: Filler\r\nX: ' + 'x'.repeat(1000) + '\r\n\r\n').repeat(63);
    let n = 0;
    const piece = (): Buffer =>
      Buffer.from(`${filler}Event: Kept\r\nUniqueid: 1795203655.${100_000 + n++}.trunk\r\n\r\n`);
    const before = inUse();
    const kept = keep(1000, piece, (message) => message.get('Uniqueid'));
    const grown = inUse() - before;
    assert.equal(kept.length, 1000);
    // 64 MB came in; a kept value holds some hundred bytes.
    assert.ok(grown < 8e6, `${grown} bytes`);
  });

  it('lets go of a long answer though a line of it is kept', () => {
    let n = 0;
    const answer = (): Buffer => {
      const lines = Array.from(
        { length: 8000 },
        (_, line) => `Output: line ${line} of the answer ${n}, which is long\r\n`,
      );
      n++;
      return Buffer.from(`Response: Success\r\n${lines.join('')}\r\n`);
    };
    const before = inUse();
    const kept = keep(100, answer, (message) => message.all('Output')[4711]);
    const grown = inUse() - before;
    assert.equal(kept.length, 100);
    // 38 MB came in.
    assert.ok(grown < 8e6, `${grown} bytes`);
  });
});
