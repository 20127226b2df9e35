import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createAmiClient, createAsteriskManagerClient } from '../../../lib/ami';
import type { AmiClient } from '../../../lib/ami/types';
import { systemClock } from '../../../lib/clock';
import { AgiServer } from '../../../lib/agi/server';
import type { WaitingCall } from '../../../lib/agi/server';
import { createSimulator } from '../../../lib/simulator';
import type { Simulator } from '../../../lib/simulator/types';
import { until } from '../../support/wait';

/** A cable that the test can pull out. */
class Cable {
  private readonly sockets = new Set<Socket>();
  readonly server: Server;
  plugged = true;

  constructor(port: () => number) {
    this.server = createServer((near) => {
      if (!this.plugged) {
        near.destroy();
        return;
      }
      const far = connect(port(), '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket);
        socket.pipe(other);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  pull(): void {
    this.plugged = false;
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async end(): Promise<void> {
    this.pull();
    this.server.close();
    await once(this.server, 'close');
  }
}

for (const [driver, create] of [
  ['built in', createAmiClient],
  ['asterisk-manager', createAsteriskManagerClient],
] as const) {
  describe(`calls that wait while the link is down, driver ${driver}`, () => {
    let simulator: Simulator;
    let cable: Cable;
    let client: AmiClient;
    let server: AgiServer;
    let calls: WaitingCall[];

    beforeEach(async () => {
      simulator = createSimulator({ ringMs: 5, talkMs: 5, routeMs: 60_000 });
      const { port, username, secret } = await simulator.start();
      cable = new Cable(() => port);
      cable.server.listen(0, '127.0.0.1');
      await once(cable.server, 'listening');
      client = create({ host: '127.0.0.1', port: (cable.server.address() as AddressInfo).port, username, secret });
      calls = [];
      server = new AgiServer({
        client,
        tag: 'telephony-crm',
        clock: systemClock,
        limit: 10,
        onCall: (call) => calls.push(call) > 0,
        onProblem: () => undefined,
      });
      client.connect();
      await until(() => client.state.phase === 'ready', 'the link');
    });

    afterEach(async () => {
      await server.close();
      await client.close();
      await cable.end();
      await simulator.stop();
    });

    const reconnect = async (): Promise<void> => {
      const { session } = client.state;
      cable.plugged = true;
      await until(
        () => client.state.phase === 'ready' && client.state.session > session,
        'the link to be back',
        30_000,
      );
    };

    it('are not asked about a second time while the first question is open', async () => {
      const calling = simulator.call({ from: '84951343060', did: '74951000101' });
      await until(() => calls.length === 1, 'the question');
      cable.pull();
      await until(() => client.state.phase !== 'ready', 'the link to go');
      await reconnect();
      await client.list({ action: 'CoreShowChannels' });
      assert.equal(calls.length, 1);
      calls[0]?.answer({ found: true, extension: '101' });
      assert.equal((await calling).extension, '101');
    }).timeout(60_000);

    it('are asked about again when their answer came too late for the link', async () => {
      const calling = simulator.call({ from: '84951343060', did: '74951000101' });
      await until(() => calls.length === 1, 'the question');
      cable.pull();
      await until(() => client.state.phase !== 'ready', 'the link to go');
      calls[0]?.answer({ found: true, extension: '101' });
      await reconnect();
      await until(() => calls.length === 2, 'the second question');
      calls[1]?.answer({ found: true, extension: '105' });
      assert.equal((await calling).extension, '105');
      assert.equal(calls.length, 2);
    }).timeout(60_000);
  });
}
