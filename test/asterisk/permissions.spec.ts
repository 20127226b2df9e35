import assert from 'node:assert/strict';
import type { AmiTls } from '../../lib/ami';
import { numberingPlan } from '../../lib/phone';
import { createPbx, type PbxOptions } from '../../lib/pbx/pbx';
import { FEATURES } from '../../lib/pbx/permissions';
import { probePbx, type ProbeReport } from '../../lib/pbx/probe';
import { until } from '../support/wait';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { describeAsterisk } from './support/roots';

describeAsterisk('permissions', (version) => {
  let asterisk: TestAsterisk;
  before(async () => {
    asterisk = await startAsterisk({ version });
  });
  after(() => asterisk.stop());

  const as = (username: string, port: number, tls?: AmiTls): PbxOptions => ({
    name: 'office',
    plan: numberingPlan({ country: 'RU' }),
    connection: {
      kind: 'asterisk',
      driver: 'built-in',
      client: { host: '127.0.0.1', port, username, secret: `${username}-secret`, ...(tls ? { tls } : {}) },
    },
  });
  const probe = (username: string, port = asterisk.amiPort, tls?: AmiTls): Promise<ProbeReport> =>
    probePbx(as(username, port, tls), FEATURES, 'en');
  const inState = (report: ProbeReport, state: string): string[] =>
    report.permissions.filter((each) => each.state === state).map((each) => `${each.direction} ${each.class}`);
  const step = (report: ProbeReport, id: string) => report.steps.find((each) => each.id === id);

  it('finds nothing missing for the users made of the sections that it prints itself', async () => {
    const most = [
      'read system',
      'read call',
      'write call',
      'write agent',
      'write agi',
      'write reporting',
      'write originate',
    ];
    const withSystem = await probe('crm-system');
    assert.deepEqual(inState(withSystem, 'missing'), []);
    assert.deepEqual(inState(withSystem, 'present').sort(), [...most, 'write system'].sort());
    assert.equal(step(withSystem, 'excess'), undefined);

    const report = await probe('crm-dial');
    // For starting recordings, mute and the phone's own hold only.
    assert.deepEqual(inState(report, 'missing'), ['write system']);
    assert.deepEqual(inState(report, 'present'), most);
    assert.deepEqual(inState(await probe('crm-min'), 'missing'), ['write system', 'write agent', 'write originate']);
    assert.equal(step(report, 'excess'), undefined);
    assert.match(step(report, 'version')!.detail!, new RegExp(`^Asterisk ${version}\\.`));
  });

  it('names what is missing', async () => {
    const report = await probe('no-permission');
    assert.equal(step(report, 'login')?.state, 'ok');
    assert.deepEqual(inState(report, 'missing'), [
      'read system',
      'write system',
      'write call',
      'write agent',
      'write agi',
      'write reporting',
      'write originate',
    ]);
  });

  it('warns of a user with every right, over verified TLS', async () => {
    const report = await probe('admin', asterisk.amiTlsPort, { ca: asterisk.ca });
    assert.equal(step(report, 'tls')?.state, 'ok');
    assert.equal(step(report, 'excess')?.detail, 'write = command,config');
    assert.ok(inState(report, 'present').includes('read user'));
  });

  it('tells an untrusted certificate from a wrong password or address', async () => {
    assert.equal(step(await probe('admin', asterisk.amiTlsPort, {}), 'tls')?.code, 'AMI_TLS_REFUSED');
    assert.equal(step(await probe('wrong-address'), 'login')?.code, 'AMI_LOGIN_REFUSED');
  });

  it('lets the least-privilege user learn the states of the phones', async () => {
    const problems: string[] = [];
    const pbx = createPbx(as('crm-min', asterisk.amiPort), { onProblem: ({ message }) => problems.push(message) });
    pbx.open();
    try {
      // No phone is registered here, but Asterisk knows 101: before the states came it would be unknown.
      await until(() => pbx.presence.availability('101', false).state === 'unavailable', 'the states');
    } finally {
      await pbx.close();
    }
    assert.deepEqual(problems, []);
  });
});
