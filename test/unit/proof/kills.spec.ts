import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulator } from '../../../lib/simulator';
import type { SimulatedCallOutcome, Simulator, SimulatorAddress } from '../../../lib/simulator/types';
import { until } from '../../support/wait';
import { bitrix24, userCrm, type CountingCrm } from './crms';
import type { Orders, Word } from './process';

/** So many in all, shared by the CRMs. More of them in CI and in the long form: PROOF_KILLS=200. */
const KILLS = Number(process.env.PROOF_KILLS ?? 4);
/** Own numbers of the simulator: answered by 101, not answered by 103, taken by the queue. Each of their calls takes seconds. */
const NUMBERS = ['74951000111', '74951000113', '74951000170'];

const CRMS = [
  { name: 'UserCRM', open: userCrm, kills: Math.ceil(KILLS / 2) },
  { name: 'Bitrix24', open: bitrix24, kills: Math.floor(KILLS / 2) },
];

/** The same sequence in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('nothing is lost and nothing is done twice', function () {
  this.timeout(60_000 + KILLS * 20_000);
  let simulator: Simulator;
  let address: SimulatorAddress;
  let crm: CountingCrm;
  let folder: string;
  let child: ChildProcess | undefined;
  let said: string;
  /** Calls of which the disk has held something. */
  let onDisk: Set<string>;

  beforeEach(async () => {
    said = '';
    onDisk = new Set();
    folder = mkdtempSync(join(tmpdir(), 'proof-'));
    simulator = createSimulator({ ringMs: 200, talkMs: 3000 });
    address = await simulator.start();
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await simulator.stop();
    await crm.stop();
    rmSync(folder, { recursive: true });
  });

  /** Starts the process and waits until it is logged in to the PBX. */
  async function begin(): Promise<ChildProcess> {
    const orders: Orders = { pbx: address, crm: crm.orders, file: join(folder, 'proof.sqlite') };
    const started = fork(join(__dirname, 'process.ts'), [JSON.stringify(orders)], {
      execArgv: ['--require', 'tsx/cjs'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    started.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child = started;
    const ready = new Promise<void>((resolve) => {
      started.on('message', (word: Word) => {
        if (word === 'ready') resolve();
        else for (const callId of word.onDisk) onDisk.add(callId);
      });
    });
    await Promise.race([
      ready,
      once(started, 'exit', { signal: AbortSignal.timeout(30_000) }).then(() => {
        throw new Error(`the process ended by itself: ${said}`);
      }),
    ]);
    return started;
  }

  for (const { name, open, kills } of CRMS) {
    it(`while the process is killed ${kills} times and ${name} breaks connections and fails`, async () => {
      crm = await open();
      const random = dice(20_261_121);
      const calls: Promise<SimulatedCallOutcome>[] = [];
      for (let kill = 0; kill < kills; kill += 1) {
        const running = await begin();
        for (const did of NUMBERS)
          calls.push(simulator.call({ from: `8495000${String(calls.length).padStart(4, '0')}`, did }));
        // The work is done, and the answer never comes; or nothing is done at all.
        if (random() < 0.6) crm.server.fail('lost', { times: 1 + Math.floor(random() * 2) });
        if (random() < 0.3) crm.server.fail({ status: 503 }, { times: 2 });
        // A call that nobody has heard of, and that is over before somebody listens again, cannot be known.
        await until(() => onDisk.size >= calls.length, 'the calls to be on disk', 30_000);
        await new Promise((resolve) => setTimeout(resolve, random() * 3500));
        running.kill('SIGKILL');
        await once(running, 'exit');
      }
      crm.server.heal();
      await begin();
      const played = (await Promise.all(calls)).map(({ callId }) => callId);
      await until(
        () => played.every((callId) => crm.records().includes(callId)),
        'every call to reach the CRM',
        45_000,
      ).catch((thrown: unknown) => {
        const missing = played.filter((callId) => !crm.records().includes(callId));
        throw new Error(`missing: ${missing.join(' ')}\n${said}`, { cause: thrown });
      });
      assert.deepEqual([...crm.records()].sort(), [...played].sort(), 'each call once, and no other');
      assert.equal(said, '');
      crm.check();
    });
  }
});
