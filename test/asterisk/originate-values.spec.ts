import assert from 'node:assert/strict';
import { createAmiClient } from '../../lib/ami';
import type { AmiClient, AmiMessage, AmiValue } from '../../lib/ami/types';
import { until } from '../support/wait';
import { startAsterisk, type TestAsterisk } from './support/asterisk';
import { describeAsterisk } from './support/roots';

/** What would be 49 if Asterisk read it as an expression, and the version of Asterisk if it read it as a function. */
const FORMULA = '${MATH(7*7,i)}$[7*7]${VERSION()}';

describeAsterisk('values in an Originate', (version) => {
  let asterisk: TestAsterisk;
  let client: AmiClient;
  let count = 0;
  before(async () => {
    asterisk = await startAsterisk({ version });
    client = createAmiClient({
      host: '127.0.0.1',
      port: asterisk.amiPort,
      username: 'admin',
      secret: 'admin-secret',
    });
    client.connect();
    await until(() => client.state.phase === 'ready', 'the link');
  });
  after(async () => {
    await client.close();
    await asterisk.stop();
  });

  /** Originates to a channel that waits, runs `use` once that is up, and hangs it up. */
  async function originated(
    more: Readonly<Record<string, AmiValue>>,
    use: (row: AmiMessage, read: (name: string) => Promise<string | undefined>) => Promise<void>,
  ): Promise<void> {
    const id = `values-${(count += 1)}`;
    const headers = { Channel: 'Local/9000@from-internal/n', Async: true, Timeout: 5000, ChannelId: id, ...more };
    const answer = await client.action({
      action: 'Originate',
      headers,
      variables: { ASIS: FORMULA, __HANDED: FORMULA },
    });
    assert.equal(answer.name, 'Success', answer.get('Message'));
    let up: AmiMessage | undefined;
    await until(async () => {
      const rows = await client.list({ action: 'CoreShowChannels' });
      up = rows.find((row) => row.get('Uniqueid') === id && ['Echo', 'Wait'].includes(row.get('Application') ?? ''));
      return up !== undefined;
    }, 'the channel');
    assert.ok(up);
    await use(up, async (name) =>
      (await client.action({ action: 'Getvar', headers: { Channel: id, Variable: name } })).get('Value'),
    );
    await client.action({ action: 'Hangup', headers: { Channel: id } });
  }

  it('are never evaluated: variables, the caller id, the data of an application', () =>
    originated({ Application: 'Echo', Data: FORMULA, CallerID: `"${FORMULA}" <100>` }, async (row, read) => {
      assert.equal(row.get('ApplicationData'), FORMULA);
      assert.equal(await read('ASIS'), FORMULA);
      assert.equal(await read('HANDED'), FORMULA);
      assert.equal(await read('CONNECTEDLINE(name)'), FORMULA);
    }));

  it('are never evaluated: the extension, which is refused by that name', async () => {
    const to = { Context: 'from-internal', Priority: 1 };
    await originated({ ...to, Exten: '9000' }, async (_row, read) => assert.equal(await read('ASIS'), FORMULA));
    const headers = { Channel: 'Local/9000@from-internal/n', Async: true, ...to, Exten: '900${MATH(1-1,i)}' };
    const refused = await client.action({ action: 'Originate', headers });
    assert.equal(refused.get('Message'), 'Extension does not exist.');
  });
});
