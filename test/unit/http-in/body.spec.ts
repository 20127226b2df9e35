import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { TelephonyError } from '../../../lib/errors';
import { parserFault, readBody, textOfFault } from '../../../lib/http-in/body';
import { FakeClock } from '../../support/fake-clock';

const LIMIT = 1000;

function setUp(headers: Record<string, string> = {}, more: object = {}) {
  const clock = new FakeClock();
  const stream = new PassThrough();
  const request = Object.assign(stream, { headers, ...more }) as unknown as IncomingMessage;
  const read = () => readBody(request, { clock, limit: LIMIT, withinMs: 10_000, mediaTypes: ['application/json'] });
  return { clock, stream, read };
}

const code = (wanted: string) => (error: unknown) => error instanceof TelephonyError && error.code === wanted;

describe('the body of a request', () => {
  it('is put together, even when a character arrives in two parts', async () => {
    const { stream, clock, read } = setUp();
    const body = read();
    const bytes = Buffer.from('{"name":"Ж"}');
    stream.write(bytes.subarray(0, 10));
    stream.end(bytes.subarray(10));
    assert.equal(await body, '{"name":"Ж"}');
    assert.equal(clock.running, 0);
  });

  it('is undefined when there is none', async () => {
    const { stream, read } = setUp();
    stream.end();
    assert.equal(await read(), undefined);
  });

  it('is refused when it says it is too large, before a byte is read', async () => {
    const { read } = setUp({ 'content-length': String(LIMIT + 1) });
    await assert.rejects(read(), code('PROTOCOL_BODY_TOO_LARGE'));
  });

  it('is refused when it turns out to be too large', async () => {
    const { stream, clock, read } = setUp();
    const body = read();
    stream.write(Buffer.alloc(LIMIT));
    stream.write('x');
    await assert.rejects(body, code('PROTOCOL_BODY_TOO_LARGE'));
    assert.equal(clock.running, 0);
  });

  it('may be exactly as large as allowed', async () => {
    const { stream, read } = setUp({ 'content-length': String(LIMIT) });
    stream.end('x'.repeat(LIMIT));
    assert.equal((await read())?.length, LIMIT);
  });

  it('is refused when it is compressed or not UTF-8', async () => {
    await assert.rejects(setUp({ 'content-encoding': 'gzip' }).read(), code('PROTOCOL_MEDIA_TYPE'));
    const { stream, read } = setUp();
    stream.end(Buffer.from([0x7b, 0xff, 0x7d]));
    await assert.rejects(read(), code('PROTOCOL_MEDIA_TYPE'));
  });

  it('is given up when it comes too slowly or the sender goes away', async () => {
    const slow = setUp();
    const body = slow.read();
    slow.stream.write('{');
    slow.clock.advance(10_000);
    await assert.rejects(body, code('HTTP_BODY_INCOMPLETE'));

    const gone = setUp();
    const half = gone.read();
    gone.stream.write('{');
    gone.stream.destroy(new Error('reset'));
    await assert.rejects(half, code('HTTP_BODY_INCOMPLETE'));
    assert.equal(gone.clock.running, 0);
  });

  it('is taken from whoever has already read it', async () => {
    const parsed = (body: unknown, type = 'application/json') =>
      setUp({ 'content-type': type }, { _body: true, body }).read();
    assert.equal(await parsed({ phone: '101' }), '{"phone":"101"}');
    assert.equal(await parsed('{}'), '{}');
    assert.equal(await parsed(''), undefined);
    assert.equal(await parsed(undefined), undefined);
    assert.equal(await parsed(Buffer.from('{"a":1}')), '{"a":1}');
    assert.equal(await parsed({ phone: '1 2' }, 'application/x-www-form-urlencoded; charset=utf-8'), 'phone=1+2');
  });

  it('is measured also when somebody has already read it', async () => {
    const parsed = (body: unknown, headers: Record<string, string> = {}) =>
      setUp({ 'content-type': 'application/json', ...headers }, { _body: true, body }).read();
    await assert.rejects(parsed({}, { 'content-length': String(LIMIT + 1) }), code('PROTOCOL_BODY_TOO_LARGE'));
    for (const body of [{ phone: 'x'.repeat(LIMIT) }, 'Ж'.repeat(LIMIT / 2 + 1), Buffer.alloc(LIMIT + 1)]) {
      await assert.rejects(parsed(body), code('PROTOCOL_BODY_TOO_LARGE'));
    }
    await assert.rejects(parsed({}, { 'content-encoding': 'gzip' }), code('PROTOCOL_MEDIA_TYPE'));
  });

  it('is refused when what somebody made of it cannot be written back', async () => {
    let deep: unknown[] = [];
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    const parsed = (body: unknown, type: string) => setUp({ 'content-type': type }, { _body: true, body }).read();
    await assert.rejects(parsed(deep, 'application/json'), code('HTTP_BODY_UNREADABLE'));
    const form = parsed({ a: { toString: 'x' } }, 'application/x-www-form-urlencoded');
    await assert.rejects(form, code('HTTP_BODY_UNREADABLE'));
  });
});

describe('a body that a parser in front gave up on', () => {
  const options = { limit: LIMIT, mediaTypes: ['application/json'] };
  const request = { headers: {} } as unknown as IncomingMessage;
  const fault = (more: object) => Object.assign(new Error('told by the parser'), more);

  it('is its broken text, for the protocol to say where it is broken', () => {
    const broken = parserFault(fault({ type: 'entity.parse.failed', body: '{"phone":' }));
    assert.ok(broken);
    assert.equal(textOfFault(request, broken, options), '{"phone":');
  });

  it('is refused for what was wrong with it', () => {
    for (const [type, wanted] of [
      ['entity.too.large', 'PROTOCOL_BODY_TOO_LARGE'],
      ['charset.unsupported', 'PROTOCOL_MEDIA_TYPE'],
      ['request.aborted', 'HTTP_BODY_UNREADABLE'],
      ['parameters.too.many', 'HTTP_BODY_UNREADABLE'],
    ] as const) {
      const known = parserFault(fault({ type }));
      assert.ok(known, type);
      assert.throws(() => textOfFault(request, known, options), code(wanted), type);
    }
    const packed = parserFault(fault({ code: 'Z_DATA_ERROR' }));
    assert.ok(packed);
    const gzip = { headers: { 'content-encoding': 'gzip' } } as unknown as IncomingMessage;
    assert.throws(() => textOfFault(gzip, packed, options), code('PROTOCOL_MEDIA_TYPE'));
    const huge = parserFault(fault({ type: 'entity.parse.failed', body: 'x'.repeat(LIMIT + 1) }));
    assert.ok(huge);
    assert.throws(() => textOfFault(request, huge, options), code('PROTOCOL_BODY_TOO_LARGE'));
  });

  it('is not every error', () => {
    for (const thrown of [new Error('x'), fault({ type: 7 }), fault({ type: 'system' }), { type: 'entity.x' }, null]) {
      assert.equal(parserFault(thrown), undefined);
    }
  });
});
