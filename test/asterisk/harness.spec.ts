import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/wait';
import { startAsterisk } from './support/asterisk';
import { describeAsterisk, rootOf } from './support/roots';
import { SipPhone } from './support/sip/phone';

/** If these fail, look no further: the other tests stand on them. */
describeAsterisk('harness', (version) => {
  it('runs two at the same time, on ports of their own, and leaves nothing behind', async () => {
    const two = await Promise.all([startAsterisk({ version }), startAsterisk({ version, globals: { WHO: 'second' } })]);
    assert.equal(new Set(two.flatMap((one) => [one.amiPort, one.amiTlsPort, one.httpPort, one.sipPort])).size, 8);
    assert.match(await two[1].cli('dialplan show globals'), /WHO=second/);
    assert.match(await two[0].cli('core show version'), new RegExp(`^Asterisk ${version}\\.`));
    const pids = two.map((one) => one.pid);
    await Promise.all(two.map((one) => one.stop()));
    for (const pid of pids) assert.ok(!isAlive(pid));
  });

  it('comes back on the same ports after it was killed', async () => {
    const asterisk = await startAsterisk({ version });
    const { pid } = asterisk;
    await asterisk.restart();
    assert.notEqual(asterisk.pid, pid);
    const phone = await SipPhone.registered({ server: asterisk.sipPort, user: '101' });
    phone.close();
    await asterisk.stop();
  });

  it('clears away what a killed test run left', async () => {
    const script = `
      const { startAsterisk } = require(${JSON.stringify(join(__dirname, 'support/asterisk.ts'))});
      startAsterisk({ version: '${version}' }).then((asterisk) => console.log('PID ' + asterisk.pid + '.'));
      setInterval(() => {}, 1000);`;
    const run = spawn(process.execPath, ['--require', require.resolve('tsx/cjs'), '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    run.stdout.on('data', (data) => (said += String(data)));
    await until(() => /PID \d+\./.test(said), 'the other run to start its Asterisk', 60_000);
    run.kill('SIGKILL');
    await once(run, 'exit');
    const orphan = Number(/PID (\d+)\./.exec(said)?.[1]);
    assert.ok(isAlive(orphan), 'an Asterisk without its test run');
    const folders = join(rootOf(version), 'telephony-crm');
    // Another run of these tests may have its folder beside them.
    const isItsOwn = (pids: string): boolean => existsSync(pids) && readFileSync(pids, 'utf8').startsWith(`${orphan} `);
    const left = readdirSync(folders).find((name) => isItsOwn(join(folders, name, 'pids')));
    assert.ok(left);

    const asterisk = await startAsterisk({ version });
    await until(() => !isAlive(orphan), 'the orphan to end');
    await asterisk.stop();
    assert.ok(!existsSync(join(folders, left)));
  });

  it('has phones that call each other, refuse, cancel and hang up', async () => {
    const asterisk = await startAsterisk({ version });
    const server = asterisk.sipPort;
    const [caller, called] = await Promise.all(['102', '101'].map((user) => SipPhone.registered({ server, user })));
    assert.ok(caller && called);

    called.rule = 'answer';
    const talked = caller.call('101');
    await talked.answered;
    const seen = await called.nextCall();
    assert.deepEqual([seen.callerName, seen.callerNumber], ['Agent Two', '102']);
    seen.bye();
    await talked.ended;

    called.rule = 'busy';
    assert.equal(await caller.call('101').ended, 486);

    called.reset('ring');
    const cancelled = caller.call('101');
    const ringing = await called.nextCall();
    cancelled.cancel();
    assert.equal(await ringing.ended, 487);
    assert.equal(await cancelled.ended, 487);

    await called.unregister();
    assert.equal(await caller.call('101').ended, 404);
    for (const phone of [caller, called]) phone.close();
    await asterisk.stop();
  });

  it('refuses a phone with a wrong secret', async () => {
    const asterisk = await startAsterisk({ version });
    const wrong = SipPhone.registered({ server: asterisk.sipPort, user: '101', secret: 'wrong' });
    await assert.rejects(wrong, /101 was not registered: 401/);
    await asterisk.stop();
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
