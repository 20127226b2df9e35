import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAmiClient, type AmiTls } from '../../../lib/ami';
import { ready } from '../../support/ami-conformance';
import { FakeAmiServer, type FakeServerOptions } from '../../support/fake-ami-server';
import { until } from '../../support/wait';
import { rig, type Rig } from './drivers';

const pem = (name: string): string => readFileSync(join(__dirname, 'tls', `${name}.pem`), 'utf8');

describe('AMI client over TLS', () => {
  let server: FakeAmiServer;
  let it_: Rig;

  const start = async (tls: FakeServerOptions['tls'] = {}): Promise<void> => {
    server = await FakeAmiServer.start({ tls: { cert: pem('pbx'), key: pem('pbx-key'), ...tls } });
  };
  const make = (tls: AmiTls, host?: string): Rig =>
    (it_ = rig(createAmiClient, server, { tls, ...(host ? { host } : {}) }));
  const refused = async (tls: AmiTls): Promise<string> => {
    const { client } = make(tls);
    client.connect();
    await until(() => client.state.phase === 'refused', 'the refusal');
    const { error, retryAt, since } = client.state;
    assert.equal(error?.code, 'AMI_TLS_REFUSED');
    assert.equal((retryAt ?? 0) - since, 60_000);
    assert.ok(server.actions.length === 0, 'nothing was sent');
    return error.message;
  };

  afterEach(async () => {
    const closed = it_.client.close();
    it_.clock.advance(2000);
    await closed;
    await server.stop();
  });

  it('logs in at a server whose authority and name are known', async () => {
    await start();
    const { client } = make({ ca: pem('ca'), serverName: 'pbx.example' });
    await ready(client);
    assert.equal((await client.action({ action: 'Ping' })).get('Ping'), 'Pong');
  });

  it('shows its own certificate where the server asks for one', async () => {
    await start({ requestCert: true, rejectUnauthorized: true, ca: pem('ca') });
    const own = { cert: pem('client'), key: pem('client-key') };
    await ready(make({ ca: pem('ca'), serverName: 'pbx.example', ...own }).client);
    await it_.client.close();
    const { client } = make({ ca: pem('ca'), serverName: 'pbx.example' });
    client.connect();
    await until(() => client.state.phase === 'refused', 'the refusal without it');
    assert.equal(client.state.error?.code, 'AMI_TLS_REFUSED');
  });

  it('refuses an authority that it does not know', async () => {
    await start();
    assert.match(await refused({ ca: pem('other-ca'), serverName: 'pbx.example' }), /certificate/i);
  });

  it('refuses the authorities of the system for a private one', async () => {
    await start();
    await refused({ serverName: 'pbx.example' });
  });

  it('refuses another name, the address included', async () => {
    await start();
    assert.match(await refused({ ca: pem('ca'), serverName: 'other.example' }), /other\.example/);
    await it_.client.close();
    assert.match(await refused({ ca: pem('ca') }), /127\.0\.0\.1/);
  });

  it('refuses a port that speaks no TLS', async () => {
    server = await FakeAmiServer.start();
    await refused({ ca: pem('ca'), serverName: 'pbx.example' });
  });

  it('refuses a PEM that is none', async () => {
    await start();
    await refused({ ca: pem('ca'), cert: 'nonsense', key: 'nonsense' });
  });

  it('takes a server that is away for away, not for untrusted', async () => {
    await start();
    await server.stop();
    const { client } = make({ ca: pem('ca'), serverName: 'pbx.example' });
    client.connect();
    await until(() => client.state.phase === 'waiting', 'the next try');
    assert.equal(client.state.error?.code, 'AMI_CONNECT_FAILED');
    await server.listen();
  });
});
