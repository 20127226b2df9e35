import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulator } from '../../../lib/simulator';
import type { SimulatedCallOutcome, Simulator, SimulatorAddress } from '../../../lib/simulator/types';
import { UserCrmDouble } from '../../doubles/usercrm';
import { until } from '../../support/wait';
import type { Orders } from './process';

/** More of them in CI and in the long form: PROOF_KILLS=200. */
const KILLS = Number(process.env.PROOF_KILLS ?? 3);
/** Own numbers of the simulator: answered by 101, not answered by 103, taken by the queue. Each of their calls takes seconds. */
const NUMBERS = ['74951000111', '74951000113', '74951000170'];
/** A call must have been heard of so long to be on disk, in ms. */
const HEARD_MS = 600;

/** The same sequence in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('nothing is lost and nothing is done twice', function () {
  this.timeout(60_000 + KILLS * 20_000);
  let simulator: Simulator;
  let address: SimulatorAddress;
  let crm: UserCrmDouble;
  let folder: string;
  let child: ChildProcess | undefined;
  let said = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'proof-'));
    simulator = createSimulator({ ringMs: 200, talkMs: 3000 });
    address = await simulator.start();
    crm = await new UserCrmDouble().start();
  });
  after(async () => {
    child?.kill('SIGKILL');
    await simulator.stop();
    await crm.stop();
    rmSync(folder, { recursive: true });
  });

  /** Starts the process and waits until it is logged in to the PBX. */
  async function begin(): Promise<ChildProcess> {
    const orders: Orders = { pbx: address, crm: crm.url, key: crm.key, file: join(folder, 'proof.sqlite') };
    const started = fork(join(__dirname, 'process.ts'), [JSON.stringify(orders)], {
      execArgv: ['--require', 'tsx/cjs'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    started.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child = started;
    await once(started, 'message', { signal: AbortSignal.timeout(30_000) });
    return started;
  }

  const records = () =>
    crm.events.filter(({ action }) => action === 'cdr_append').map(({ body }) => String(body.uniqueid));

  it(`while the process is killed ${KILLS} times and the CRM breaks connections and fails`, async () => {
    const random = dice(20_261_121);
    const calls: Promise<SimulatedCallOutcome>[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const running = await begin();
      for (const did of NUMBERS)
        calls.push(simulator.call({ from: `8495000${String(calls.length).padStart(4, '0')}`, did }));
      // The work is done, and the answer never comes; or nothing is done at all.
      if (random() < 0.6) crm.server.fail('lost', { times: 1 + Math.floor(random() * 2) });
      if (random() < 0.3) crm.server.fail({ status: 503 }, { times: 2 });
      await new Promise((resolve) => setTimeout(resolve, HEARD_MS + random() * 3500));
      running.kill('SIGKILL');
      await once(running, 'exit');
    }
    crm.server.heal();
    await begin();
    const played = (await Promise.all(calls)).map(({ callId }) => callId);
    await until(
      () => played.every((callId) => records().includes(callId)),
      'every call to reach the CRM',
      45_000,
    ).catch((thrown: unknown) => {
      const missing = played.filter((callId) => !records().includes(callId));
      throw new Error(`missing: ${missing.join(' ')}\n${said}`, { cause: thrown });
    });
    assert.deepEqual([...records()].sort(), [...played].sort(), 'each call once, and no other');
    assert.equal(said, '');
    for (const { body } of crm.events) assert.match(String(body.src), /^\+7495000\d{4}$/);
  });
});
