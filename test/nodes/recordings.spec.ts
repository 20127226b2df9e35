import assert from 'node:assert/strict';
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import amiConfig from '../../nodes/ami-config';
import { recordingsOf } from '../../nodes/runtime/recordings';
import type { NodeAPI } from 'node-red';
import { FlowServer } from './support/http';
import { tab } from './support/route-flow';
import { deploy, load, logLines, unload } from './support/runtime';
import { UserDir } from './support/store-flow';

describe('links to recordings', () => {
  const server = new FlowServer();
  let user: UserDir;
  let red: NodeAPI | undefined;

  before(() => server.listen());
  after(() => server.close());
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  const pbx = (more: object = {}) => ({
    id: 'pbx',
    type: 'ami-config',
    mode: 'simulator',
    name: 'office',
    recordings: join(user.path, 'monitor'),
    recordingsAsterisk: '/var/spool/asterisk/monitor',
    recordingsUrl: 'https://node-red.example/red/',
    ...more,
  });
  const keepRed = (api: NodeAPI): void => void (red = api);
  const start = (more: object = {}) => load([server.init, user.init, keepRed, amiConfig], [tab, pbx(more)]);
  const link = () => recordingsOf(red!, 'office')?.link('/var/spool/asterisk/monitor/a/call.wav');
  /** The path of a link below this server, which is where the proxy of the admin leads to. */
  const path = () => new URL(link() ?? '').pathname.replace('/red', '');
  const record = (): void => {
    mkdirSync(join(user.path, 'monitor', 'a'), { recursive: true });
    writeFileSync(join(user.path, 'monitor', 'a', 'call.wav'), '0123456789');
    utimesSync(join(user.path, 'monitor', 'a', 'call.wav'), 1, 1);
  };

  it('lead to the file, whole or in parts, and work after a redeploy', async () => {
    record();
    await start();
    assert.match(
      link() ?? '',
      /^https:\/\/node-red\.example\/red\/telephony-crm\/recordings\/pbx\/\d+\/[\w-]+\/a\/call\.wav$/,
    );
    assert.equal(statSync(join(user.path, 'telephony-crm')).mode & 0o077, 0, 'others may look for the key of links');
    const kept = path();
    await deploy([tab, pbx({ name: 'office', country: 'RU' })]);
    const whole = await server.ask(kept);
    assert.deepEqual([whole.status, whole.body, whole.headers['content-type']], [200, '0123456789', 'audio/wav']);
    assert.equal(whole.headers['x-content-type-options'], 'nosniff');
    const part = await server.ask(kept, { headers: { range: 'bytes=2-4' } });
    assert.deepEqual([part.status, part.body, part.headers['content-range']], [206, '234', 'bytes 2-4/10']);
    const beyond = await server.ask(kept, { headers: { range: 'bytes=10-' } });
    assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */10']);
  });

  it('lead nowhere when they are altered, or the PBX offers none', async () => {
    record();
    await start();
    const kept = path();
    for (const forged of [
      kept.replace('call.wav', '../recordings.key'),
      kept.replace('call.wav', '%2e%2e/%2e%2e/recordings.key'),
      kept.replace('pbx', 'other'),
      '/telephony-crm/recordings/pbx/',
    ]) {
      assert.equal((await server.ask(forged)).status, 404, forged);
    }
    await deploy([tab, pbx({ recordings: '' })]);
    assert.equal((await server.ask(kept)).status, 404);
  });

  it('are not offered with wrong settings, which the log names; the PBX works', async () => {
    for (const [more, words] of [
      [{ recordings: 'monitor' }, /full path/],
      [{ recordingsUrl: 'node-red' }, /full address/],
      [{ recordingsUrl: 'https://me:pw@x/' }, /user name/],
      [{ recordingsDays: '0' }, /1 to 3650 days/],
    ] as const) {
      await start(more);
      assert.match(
        logLines('pbx')
          .map(({ text }) => text)
          .join('\n'),
        words,
      );
      assert.equal(recordingsOf(red!, 'office'), undefined);
      await unload();
    }
  });
});
