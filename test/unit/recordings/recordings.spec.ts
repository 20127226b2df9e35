import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { TelephonyError } from '../../../lib/errors';
import { RecordingStore } from '../../../lib/recordings';
import { FakeClock } from '../../support/fake-clock';

const ASTERISK = '/var/spool/asterisk/monitor';

describe('recordings', () => {
  let root: string;
  let folder: string;
  let clock: FakeClock;
  let recordings: RecordingStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'recordings-'));
    folder = join(root, 'monitor');
    await mkdir(join(folder, '2026/11/21'), { recursive: true });
    clock = new FakeClock();
    const links = { base: 'https://pbx.example/rec', key: Buffer.alloc(32, 7), validMs: 60_000 };
    recordings = new RecordingStore({ folder, asteriskFolder: ASTERISK, links, clock });
  });
  afterEach(() => rm(root, { recursive: true }));

  /** A file that was last written to so long ago, by the clock of the test. */
  const write = async (place: string, text: string, ageMs = 60_000): Promise<string> => {
    const file = join(folder, place);
    await writeFile(file, text);
    const at = (clock.now() - ageMs) / 1000;
    await utimes(file, at, at);
    return file;
  };
  const codeOf = async (file: string): Promise<string> => {
    const thrown = await recordings.read(file).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(thrown instanceof TelephonyError, file);
    return thrown.code;
  };

  it('finds a file by the full name that Asterisk gave, by its own, and a bare name by its date', async () => {
    const bare = 'in-101-84951343060-20261121-101500-1.1.wav';
    await write('call.wav', 'sound');
    await write(`2026/11/21/${bare}`, 'dated');
    for (const name of [`${ASTERISK}/call.wav`, 'call.wav', join(folder, 'call.wav')]) {
      const { name: told, contentType, bytes } = await recordings.read(name);
      assert.deepEqual([told, contentType, Buffer.from(bytes).toString()], ['call.wav', 'audio/wav', 'sound']);
    }
    assert.equal(Buffer.from((await recordings.read(bare)).bytes).toString(), 'dated');
  });

  it('waits for a file that is still being written', async () => {
    await write('call.wav', 'sound', 1000);
    assert.equal(await codeOf('call.wav'), 'RECORDING_NOT_READY');
    clock.advance(5000);
    assert.equal((await recordings.read('call.wav')).name, 'call.wav');
    await write('empty.wav', '');
    assert.equal(await codeOf('empty.wav'), 'RECORDING_NOT_READY');
  });

  it('never leaves the folder', async () => {
    await writeFile(join(root, 'secret.wav'), 'secret');
    await symlink(join(root, 'secret.wav'), join(folder, 'link.wav'));
    for (const name of [
      '../secret.wav',
      join(root, 'secret.wav'),
      '/etc/passwd',
      'a/../../secret.wav',
      `${ASTERISK}/../secret.wav`,
      'a\\..\\b',
      'a\u0000.wav',
      '',
      '.',
      'link.wav',
      'x'.repeat(2000),
    ]) {
      assert.equal(await codeOf(name), 'RECORDING_OUTSIDE', JSON.stringify(name.slice(0, 40)));
    }
    assert.equal(recordings.link('../secret.wav'), undefined);
  });

  it('says what is missing, unreadable or too large', async () => {
    assert.equal(await codeOf('gone.wav'), 'RECORDING_MISSING');
    assert.equal(await codeOf('2026/11/21'), 'RECORDING_UNREADABLE');
    await truncate(await write('large.wav', 'x'), 65 * 1024 * 1024);
    assert.equal(await codeOf('large.wav'), 'RECORDING_TOO_LARGE');
  });

  const below = (link: string | undefined): string => link!.slice('https://pbx.example/rec'.length);

  it('makes links that lead to the file until they expire', async () => {
    const file = await write('2026/11/21/звонок 1.wav', 'sound');
    const link = recordings.link(`${ASTERISK}/2026/11/21/звонок 1.wav`);
    assert.match(link ?? '', /^https:\/\/pbx\.example\/rec\/\d+\/[\w-]{43}\/2026\/11\/21\/.*\.wav$/);
    assert.equal(await recordings.openLink(below(link)), file);
    clock.advance(61_000);
    assert.equal(await recordings.openLink(below(link)), undefined);
  });

  it('opens nothing for a link that was altered', async () => {
    await write('call.wav', 'sound');
    const path = below(recordings.link('call.wav'));
    const [, expires = '', signature = ''] = path.split('/');
    for (const forged of [
      `/${Number(expires) + 1000}/${signature}/call.wav`,
      `/0${expires}/${signature}/call.wav`,
      `/${expires}/${signature}/other.wav`,
      `/${expires}/${signature.slice(1)}/call.wav`,
      `/${expires}/${signature}/%E0%A4%A/call.wav`,
      '',
      '/',
    ]) {
      assert.equal(await recordings.openLink(forged), undefined, forged);
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(path.length - 1), fc.string({ minLength: 1, maxLength: 1 }), async (at, char) => {
        const changed = path.slice(0, at) + char + path.slice(at + 1);
        fc.pre(changed !== path);
        assert.equal(await recordings.openLink(changed), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
