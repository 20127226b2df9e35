import assert from 'node:assert/strict';
import { numberingPlan } from '../../../lib/phone';
import type { PbxOptions } from '../../../lib/pbx/pbx';
import { probePbx } from '../../../lib/pbx/probe';
import type { ProbeReport } from '../../../lib/pbx/probe';
import type { Feature } from '../../../lib/pbx/permissions';
import { createSimulator } from '../../../lib/simulator';
import type { SimulatedUser, Simulator } from '../../../lib/simulator/types';
import { FakeAmiServer, refuseLogin } from '../../support/fake-ami-server';

const plan = numberingPlan({ country: 'RU' });
const ALL: Feature[] = ['events', 'presence', 'route'];

interface Login {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly secret: string;
}

const asterisk = (client: Login & { readonly events?: string }): PbxOptions => ({
  name: 'office',
  plan,
  connection: { kind: 'asterisk', driver: 'built-in', client },
});

const step = (report: ProbeReport, id: string) => report.steps.find((each) => each.id === id);
const permission = (report: ProbeReport, direction: string, name: string) =>
  report.permissions.find((each) => each.direction === direction && each.class === name)?.state;

describe('probe of a PBX', () => {
  describe('that has users with different rights', () => {
    const users: SimulatedUser[] = [
      {
        username: 'least',
        secret: 's',
        read: ['system', 'call', 'agent', 'user', 'cdr', 'agi'],
        write: ['call', 'user', 'reporting', 'agi'],
      },
      { username: 'weak', secret: 's', read: ['user'], write: ['call', 'user'] },
      { username: 'mighty', secret: 's' },
      { username: 'mute', secret: 's', read: ['system', 'call'], write: [] },
    ];
    let simulator: Simulator;
    let login: Login;

    before(async () => {
      simulator = createSimulator({ users });
      login = await simulator.start();
    });
    after(() => simulator.stop());

    const probe = (username: string, features = ALL, events = 'on') =>
      probePbx(asterisk({ ...login, username, secret: 's', events }), features, 'en');

    it('finds every right that can be seen without a call, and admits what cannot', async () => {
      const report = await probe('least');
      assert.deepEqual(
        report.steps.map(({ id, state }) => `${id} ${state}`),
        ['reach ok', 'login ok', 'version ok'],
      );
      assert.match(step(report, 'version')!.detail!, /Asterisk 22.*AMI 11\.0\.0/);
      for (const name of ['system', 'user']) assert.equal(permission(report, 'read', name), 'present', name);
      for (const name of ['agent', 'cdr', 'agi']) assert.equal(permission(report, 'read', name), 'unknown', name);
      for (const name of ['call', 'agi', 'reporting']) assert.equal(permission(report, 'write', name), 'present', name);
    });

    it('names what is missing and what it is for', async () => {
      const report = await probe('weak');
      assert.equal(permission(report, 'read', 'system'), 'missing');
      assert.equal(permission(report, 'read', 'user'), 'present');
      assert.equal(permission(report, 'write', 'agi'), 'missing');
      const agi = report.permissions.find((each) => each.class === 'agi' && each.direction === 'write')!;
      assert.deepEqual(agi.neededFor, ['route']);
    });

    it('does not call missing what another class gives', async () => {
      // The lists of states come with `call` too; the list of channels, which the route needs, does not.
      assert.equal(permission(await probe('weak', ['presence']), 'write', 'reporting'), 'present');
      assert.equal(permission(await probe('weak', ['route']), 'write', 'reporting'), 'missing');
      assert.equal(permission(await probe('mute'), 'write', 'reporting'), 'missing');
    });

    it('calls nothing missing that it could not provoke', async () => {
      const report = await probe('mute');
      assert.equal(permission(report, 'read', 'system'), 'present');
      assert.equal(permission(report, 'read', 'call'), 'unknown');
    });

    it('warns of rights that nobody asked for', async () => {
      const { state, detail } = step(await probe('mighty'), 'excess')!;
      assert.equal(state, 'warning');
      assert.equal(detail, 'write = command,originate');
      // What was asked for is no excess.
      assert.equal(step(await probe('mighty', ['dial']), 'excess')?.detail, 'write = command');
    });

    it('asks for Originate only to dial, and for the class system only to control what has no other', async () => {
      const { managerConf, permissions } = await probe('least', ['dial']);
      assert.match(managerConf!, /^read = system,call,agi$/m);
      assert.match(managerConf!, /^write = call,agi,reporting,originate$/m);
      const originate = permissions.find((each) => each.class === 'originate')!;
      assert.deepEqual([originate.state, originate.neededFor], ['missing', ['dial']]);
      assert.equal(permission(await probe('mighty', ['dial']), 'write', 'originate'), 'present');
      assert.match((await probe('least', ['control'])).managerConf!, /^write = call,reporting$/m);
      const withSystem = await probe('least', ['control', 'control-system']);
      assert.match(withSystem.managerConf!, /^write = system,call,reporting$/m);
      assert.equal(permission(withSystem, 'write', 'system'), 'missing');
    });

    it('asks for no more than the chosen features need', async () => {
      const { managerConf } = await probe('least', []);
      assert.match(managerConf!, /^read = system$/m);
      assert.match(managerConf!, /^write = $/m);
      const events = await probe('least', ['events']);
      assert.match(events.managerConf!, /^read = system,call,agent,user,cdr$/m);
      const route = await probe('least', ['route']);
      assert.match(route.managerConf!, /^read = system,agi$/m);
      assert.match(route.managerConf!, /^write = call,agi,reporting$/m);
    });

    it('sees a mask that keeps out what is needed', async () => {
      const { state, detail } = step(await probe('least', ALL, 'system,call'), 'mask')!;
      assert.equal(state, 'failed');
      assert.equal(detail, 'agent, user, cdr, agi');
      assert.equal(step(await probe('least', ['presence'], 'system,call'), 'mask')?.state, 'ok');
    });
  });

  describe('that tells of device states', () => {
    const offer = ['Setvar: Sets a channel variable. (Priv: call,all)', 'Ping: Keepalive command. (Priv: <none>)'];

    async function probeCall(onSetvar: Parameters<FakeAmiServer['on']>[1]): Promise<string | undefined> {
      const server = await FakeAmiServer.start();
      server.on('ListCommands', (action, from) => from.answer(action, 'Success', ...offer)).on('Setvar', onSetvar);
      const { host, port, username, secret } = server;
      const report = await probePbx(asterisk({ host, port, username, secret }), ALL, 'en');
      await server.stop();
      assert.equal(permission(report, 'write', 'call'), 'present');
      return permission(report, 'read', 'call');
    }

    it('is known to let us read calls when the state that we toggled comes back', async () => {
      let before = 'NOT_INUSE';
      const state = await probeCall((action, from) => {
        from.answer(action, 'Success', 'Message: Variable Set');
        const { Variable: name = '', Value: value = '' } = action;
        assert.equal(name, 'DEVICE_STATE(Custom:telephony-crm-check)');
        // As Asterisk does it: the same state again is no event.
        if (value !== before)
          from.send(
            'Event: DeviceStateChange',
            'Privilege: call,all',
            'Device: Custom:telephony-crm-check',
            `State: ${value}`,
          );
        before = value;
      });
      assert.equal(state, 'present');
    });

    it('is known not to when nothing comes back', async () => {
      assert.equal(await probeCall((action, from) => from.answer(action, 'Success')), 'missing');
    });

    it('is not judged when it has no such function', async () => {
      const state = await probeCall((action, from) => from.answer(action, 'Error', 'Message: Variable not set'));
      assert.equal(state, 'unknown');
    });
  });

  describe('that does not let us in', () => {
    let server: FakeAmiServer;

    beforeEach(async () => {
      server = await FakeAmiServer.start();
    });
    afterEach(() => server.stop());

    const login = (): Login => ({
      host: server.host,
      port: server.port,
      username: server.username,
      secret: server.secret,
    });

    it('is told apart: nobody there, wrong password, in use, something else, silent', async () => {
      const wrong = await probePbx(asterisk({ ...login(), secret: 'no' }), ALL, 'ru');
      assert.equal(step(wrong, 'login')?.code, 'AMI_LOGIN_REFUSED');
      assert.match(step(wrong, 'login')!.detail!, /Проверьте имя, пароль/);
      assert.ok(wrong.managerConf!.includes('permit = 127.0.0.1/255.255.255.255'));

      server.on('Login', (action, from) => refuseLogin(action, from, 'Login Already In Use'));
      assert.equal(step(await probePbx(asterisk(login()), ALL, 'en'), 'login')?.code, 'AMI_LOGIN_IN_USE');

      server.mute = true;
      const begun = performance.now();
      const silent = await probePbx(asterisk(login()), ALL, 'en');
      assert.equal(step(silent, 'login')?.code, 'PBX_NOT_READY');
      assert.ok(performance.now() - begun < 10_000);

      await server.stop();
      const away = await probePbx(asterisk(login()), ALL, 'en');
      assert.equal(step(away, 'reach')?.code, 'AMI_CONNECT_FAILED');
      assert.equal(away.permissions.length, 0);
      await server.listen();
    });

    it('is not asked for long: an Asterisk that answers no question still gives a report', async () => {
      server.on('ListCommands', () => undefined);
      const report = await probePbx(asterisk(login()), ALL, 'en');
      assert.equal(step(report, 'login')?.state, 'ok');
      assert.equal(permission(report, 'write', 'call'), 'unknown');
      assert.equal(permission(report, 'read', 'system'), 'present');
    });
  });

  it('names a host that does not exist', async () => {
    const nowhere = { host: 'no-such-host.invalid', port: 5038, username: 'x', secret: 'y' };
    const report = await probePbx(asterisk(nowhere), ALL, 'en');
    assert.equal(step(report, 'reach')?.state, 'failed');
    assert.match(step(report, 'reach')!.detail!, /no-such-host\.invalid/);
  });
});
