import assert from 'node:assert/strict';
import { numberingPlan } from '../../lib/phone';
import { FEATURES } from '../../lib/pbx/permissions';
import { probePbx } from '../../lib/pbx/probe';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { describeAsterisk } from './support/roots';

describeAsterisk('the Test button of ami-config', (version) => {
  let asterisk: TestAsterisk;
  before(async () => {
    asterisk = await startAsterisk({ version });
  });
  after(() => asterisk.stop());

  const probe = (username: string) =>
    probePbx(
      {
        name: 'PBX',
        plan: numberingPlan({ country: 'RU' }),
        connection: {
          kind: 'asterisk',
          driver: 'built-in',
          client: { host: '127.0.0.1', port: asterisk.amiPort, username, secret: `${username}-secret` },
        },
      },
      FEATURES,
      'en',
    );
  const inState = (report: Awaited<ReturnType<typeof probe>>, state: string): string[] =>
    report.permissions.filter((one) => one.state === state).map((one) => `${one.direction} ${one.class}`);

  it('finds nothing missing and nothing too much with the section that it prints', async () => {
    const report = await probe('crm-min');
    assert.deepEqual(
      report.steps.filter((step) => step.state !== 'ok'),
      [],
    );
    assert.match(
      report.steps.find((step) => step.id === 'version')?.detail ?? '',
      new RegExp(`^Asterisk ${version}\\.`),
    );
    assert.deepEqual(inState(report, 'missing'), []);
    for (const proven of ['read system', 'read call', 'write call', 'write agi', 'write reporting']) {
      assert.ok(inState(report, 'present').includes(proven), proven);
    }
  });

  it('names what a user lacks', async () => {
    const report = await probe('single');
    assert.ok(inState(report, 'missing').includes('write agi'));
    assert.ok(inState(report, 'present').includes('write call'));
    assert.match(report.managerConf ?? '', /^\[single\]$[^]*^write = call,agi,reporting$/m);
  });

  it('names what a user without any permission lacks', async () => {
    const missing = inState(await probe('no-permission'), 'missing');
    for (const lacking of ['read system', 'write call', 'write agi', 'write reporting']) {
      assert.ok(missing.includes(lacking), `${lacking} is not among ${missing.join(', ')}`);
    }
  });

  it('warns of rights that nobody needs', async () => {
    const excess = (await probe('admin')).steps.find((step) => step.id === 'excess');
    assert.equal(excess?.state, 'warning');
    assert.match(excess.detail ?? '', /system.*command.*originate/);
  });
});
