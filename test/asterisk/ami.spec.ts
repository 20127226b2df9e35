import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { createAmiClient, createAsteriskManagerClient, type AmiClient, type AmiClientOptions } from '../../lib/ami';
import { codeOf, describeAmiClient, ready } from '../support/ami-conformance';
import { until } from '../support/wait';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { describeAsterisk } from './support/roots';

describeAsterisk('AMI', (version) => {
  let asterisk: TestAsterisk;
  before(async () => {
    asterisk = await startAsterisk({ version });
  });
  after(() => asterisk.stop());

  const as = (user: string): AmiClientOptions => ({
    host: '127.0.0.1',
    port: asterisk.amiPort,
    username: user,
    secret: `${user}-secret`,
  });

  for (const [title, makeClient] of [
    ['the built-in driver', createAmiClient],
    ['the driver asterisk-manager', createAsteriskManagerClient],
  ] as const) {
    describeAmiClient(title, {
      makeClient: (options) => makeClient(options),
      server: async () => {
        await asterisk.restart();
        return { ...as('admin'), stop: () => asterisk.kill(), restart: () => asterisk.restart() };
      },
      gaps: makeClient === createAmiClient ? [] : ['amiVersion', 'header names as sent'],
    });
  }

  describe('link', () => {
    const clients: AmiClient[] = [];
    before(() => asterisk.restart());
    const client = (options: AmiClientOptions): AmiClient => {
      const made = createAmiClient(options);
      clients.push(made);
      return made;
    };
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((one) => one.close()));
    });

    const refusal = async (options: AmiClientOptions): Promise<string | undefined> => {
      const refused = client(options);
      refused.connect();
      await until(() => refused.state.phase === 'refused', 'the refusal', 15_000);
      return refused.state.error?.code;
    };

    it('comes up over TLS with an authority of one’s own, under the name or the address in the certificate', async () => {
      const { amiTlsPort: port, ca } = asterisk;
      await ready(client({ ...as('crm-min'), port, tls: { ca } }));
      await ready(client({ ...as('crm-min'), port, tls: { ca, serverName: 'localhost' } }));
    });

    it('is refused over TLS when the certificate is not to be trusted', async () => {
      const { amiTlsPort: port, ca } = asterisk;
      assert.equal(await refusal({ ...as('crm-min'), port, tls: {} }), 'AMI_TLS_REFUSED');
      assert.equal(await refusal({ ...as('crm-min'), port, tls: { ca, serverName: 'elsewhere' } }), 'AMI_TLS_REFUSED');
    });

    it('speaks TLS 1.2 or newer only', async () => {
      const { amiTlsPort: port, ca } = asterisk;
      const version = await new Promise<string | null>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, ca }, () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.on('error', reject);
      });
      assert.match(version ?? '', /^TLSv1\.[23]$/);
    });

    it('is refused for a user who may log in once and is there already, and the first one stays', async () => {
      const first = client(as('single'));
      await ready(first);
      assert.equal(await refusal(as('single')), 'AMI_LOGIN_IN_USE');
      assert.equal((await first.action({ action: 'Ping' })).name, 'Success');
    });

    it('is refused from an address that may not log in', async () => {
      assert.equal(await refusal(as('wrong-address')), 'AMI_LOGIN_REFUSED');
    });

    it('comes up for a user without any permission, who is told what he may not do', async () => {
      const poor = client(as('no-permission'));
      await ready(poor);
      const answer = await poor.action({ action: 'Setvar', headers: { Variable: 'X', Value: '1' } });
      assert.equal(answer.get('Message'), 'Permission denied');
      assert.equal(await codeOf(poor.list({ action: 'DeviceStateList' })), 'AMI_ACTION_FAILED');
    });

    it('gives the least privileged user what routing needs, and neither a shell nor calls', async () => {
      const least = client(as('crm-min'));
      await ready(least);
      const may = (await least.action({ action: 'ListCommands' })).toObject();
      for (const action of ['Setvar', 'AGI', 'DeviceStateList', 'CoreShowChannels', 'ExtensionStateList']) {
        assert.ok(action in may, action);
      }
      for (const action of ['Originate', 'Command', 'DBPut', 'ModuleLoad', 'UpdateConfig', 'MixMonitor']) {
        assert.ok(!(action in may), action);
      }
    });

    it('notices within 15 s that Asterisk is frozen, and comes back when it thaws', async () => {
      const watched = client(as('crm-min'));
      await ready(watched);
      const changes: string[] = [];
      watched.onState(({ phase, error }) => changes.push(`${phase} ${error?.code ?? ''}`));
      const frozenAt = performance.now();
      asterisk.freeze();
      try {
        await until(() => watched.state.phase !== 'ready', 'the client to notice', 15_000);
        assert.equal(watched.state.error?.code, 'AMI_SILENT');
        assert.equal(await codeOf(watched.action({ action: 'Ping' })), 'AMI_NOT_CONNECTED');
        // The kernel goes on taking connections for a frozen process: only the login tells.
        await until(() => performance.now() - frozenAt > 30_000, 'half a minute to pass', 31_000);
        assert.ok(!changes.some((change) => change.startsWith('ready')), changes.join(', '));
      } finally {
        asterisk.thaw();
      }
      await until(() => watched.state.phase === 'ready', 'the link to come back', 30_000);
      assert.equal((await watched.action({ action: 'Ping' })).name, 'Success');
    });

    it('takes a line feed in a value for a part of the value, not for the end of a header', async () => {
      const listener = client(as('admin'));
      await ready(listener);
      const heard: string[] = [];
      listener.subscribe(['UserEvent'], (event) => heard.push(event.get('Body') ?? ''));
      listener.subscribe(['Injected'], () => heard.push('an event was forged'));
      const headers = { Channel: 'Local/9003@from-internal', Application: 'Wait', Data: '1', Async: 'true' };
      await listener.action({ action: 'Originate', headers });
      await until(() => heard.length > 0, 'the event');
      assert.deepEqual(heard, ['line\nEvent: Injected']);
    });
  });
});
