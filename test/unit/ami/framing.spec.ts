import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Framer } from '../../../lib/ami/framing';
import { MAX_LINE_BYTES, MAX_MESSAGE_BYTES } from '../../../lib/ami/limits';
import { recordings } from './recordings';

const GREETING = Buffer.from('Asterisk Call Manager/11.0.0\r\n');

interface Seen {
  readonly greetings: string[];
  readonly frames: string[];
  readonly heads: string[];
  readonly overflows: string[];
}

function framer(): { readonly framer: Framer; readonly seen: Seen } {
  const seen: Seen = { greetings: [], frames: [], heads: [], overflows: [] };
  const made = new Framer({
    greeting: (line) => seen.greetings.push(line),
    frame: (head, bytes, start, end) => {
      seen.heads.push(head);
      seen.frames.push(bytes.toString('utf8', start, end));
    },
    overflow: (what) => seen.overflows.push(what),
  });
  return { framer: made, seen };
}

/** What comes out when the bytes come in pieces of these sizes, over and over. */
function parse(bytes: Buffer, sizes: readonly number[] = [bytes.length]): Seen {
  const { framer: it, seen } = framer();
  it.push(GREETING);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]!);
    // A buffer of its own, spoilt afterwards: nothing may rest on the bytes that came in.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    it.push(piece);
    piece.fill(0x58);
    at += size;
  }
  return seen;
}

describe('AMI framing', () => {
  it('finds the same messages in every recording as a plain split does', () => {
    for (const { name, bytes } of recordings()) {
      const expected = bytes.toString('utf8').split('\r\n\r\n').slice(0, -1);
      assert.deepEqual(parse(bytes).frames, expected, name);
    }
  });

  it('finds the same in every recording, cut into single bytes', () => {
    for (const { name, bytes } of recordings()) {
      // Later messages hold nothing that the first do not, and every byte is a push.
      const first = bytes.subarray(0, 16_384);
      assert.deepEqual(parse(first, [1]), parse(first), name);
    }
  });

  it('finds the same however the recordings are cut', () => {
    const all = recordings();
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3000 })), { minLength: 1 }),
        ({ bytes }, sizes) => assert.deepEqual(parse(bytes, sizes), parse(bytes)),
      ),
      { numRuns: 150 },
    );
  });

  it('finds the same however a text full of line ends is cut', () => {
    const token = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '\r\n\r\n',
      '\r\n\n',
      'Event: A',
      'я',
      'X: y',
      'Response: Follows',
    );
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (text, sizes) => {
          const bytes = Buffer.from(text.join('') + '\r\n\r\n');
          assert.deepEqual(parse(bytes, sizes), parse(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads the greeting, in pieces too', () => {
    const { framer: it, seen } = framer();
    it.push(Buffer.from('Asterisk Call Man'));
    it.push(Buffer.from('ager/5.0.5\r'));
    it.push(Buffer.from('\nEvent: A\r\n\r\n'));
    assert.deepEqual(seen.greetings, ['Asterisk Call Manager/5.0.5']);
    assert.deepEqual(seen.heads, ['Event: A']);
  });

  it('gives up on a greeting that does not end', () => {
    const { framer: it, seen } = framer();
    it.push(Buffer.alloc(300, 'x'));
    assert.deepEqual(seen.overflows, ['greeting']);
  });

  it('lets a lone LF stay in its value, even two of them', () => {
    const { frames } = parse(Buffer.from('Event: A\r\nX: one\n\ntwo\nEvent: Hangup\r\n\r\nEvent: B\r\n\r\n'));
    assert.deepEqual(frames, ['Event: A\r\nX: one\n\ntwo\nEvent: Hangup', 'Event: B']);
  });

  it('takes CR LF LF for the end of a message, as some 18 and 20 builds send it', () => {
    const { frames } = parse(Buffer.from('Event: CoreShowChannelMapComplete\r\nListItems: 1\r\n\nEvent: B\r\n\r\n'));
    assert.deepEqual(frames, ['Event: CoreShowChannelMapComplete\r\nListItems: 1', 'Event: B']);
  });

  it('keeps the raw answer of Command before Asterisk 14 in one piece, empty first line included', () => {
    const raw = 'Response: Follows\r\nActionID: 1\r\n\nName   Host\n\n2 peers\n--END COMMAND--';
    assert.deepEqual(parse(Buffer.from(`${raw}\r\n\r\nEvent: B\r\n\r\n`)).frames, [raw, 'Event: B']);
    assert.deepEqual(parse(Buffer.from(`${raw}\r\n\r\nEvent: B\r\n\r\n`), [1]).frames, [raw, 'Event: B']);
  });

  it('stops at once when it is told so from within a delivery', () => {
    let count = 0;
    const it: Framer = new Framer({
      greeting: () => undefined,
      frame: () => {
        count++;
        it.stop();
      },
      overflow: () => undefined,
    });
    it.push(Buffer.concat([GREETING, Buffer.from('Event: A\r\n\r\nEvent: B\r\n\r\nEvent: C')]));
    it.push(Buffer.from('\r\n\r\n'));
    assert.equal(count, 1);
  });

  it('gives up on a line over its bound, long before memory or time suffer', () => {
    const { framer: it, seen } = framer();
    it.push(GREETING);
    let pushed = 0;
    const piece = Buffer.alloc(16 * 1024, 'a');
    while (seen.overflows.length === 0 && pushed < 8 * 1024 * 1024) {
      it.push(piece);
      pushed += piece.length;
    }
    assert.deepEqual(seen.overflows, ['line']);
    assert.ok(pushed <= MAX_LINE_BYTES + piece.length);
  });

  it('gives up on a message over its bound', () => {
    const { framer: it, seen } = framer();
    it.push(GREETING);
    const piece = Buffer.from('Output: ' + 'a'.repeat(8000) + '\r\n');
    let pushed = 0;
    while (seen.overflows.length === 0 && pushed < 2 * MAX_MESSAGE_BYTES) {
      it.push(piece);
      pushed += piece.length;
    }
    assert.deepEqual(seen.overflows, ['message']);
    assert.ok(pushed <= MAX_MESSAGE_BYTES + piece.length);
  });

  it('does work in proportion to the bytes: a message of 16 MiB in a thousand pieces', () => {
    const { framer: it, seen } = framer();
    it.push(GREETING);
    const piece = Buffer.from(('Output: ' + 'a'.repeat(90) + '\r\n').repeat(160));
    const started = process.cpuUsage();
    for (let n = 0; n < 1000; n++) it.push(piece);
    it.push(Buffer.from('\r\n'));
    const used = process.cpuUsage(started);
    assert.equal(seen.frames.length, 1);
    // It takes some 0.05 s. Going over the whole again at each piece would be 8 GB to search: many seconds.
    assert.ok(used.user + used.system < 2_000_000, `${used.user + used.system} µs`);
  });
});
