import { createSimulator } from '../../../../lib/simulator';
import type {
  SimulatedCallOutcome,
  Simulator,
  SimulatorAddress,
  SimulatorOptions,
} from '../../../../lib/simulator/types';
import { FakeClock } from '../../../support/fake-clock';
import { until } from '../../../support/wait';
import { BareClient, type Message } from './client';

/** A running simulator whose time the test moves, and its clients; all of it ends with {@link Office.close}. */
export class Office {
  private readonly clients: BareClient[] = [];

  private constructor(
    readonly simulator: Simulator,
    readonly address: SimulatorAddress,
    readonly clock: FakeClock,
    readonly warnings: string[],
  ) {}

  static async open(options: SimulatorOptions = {}): Promise<Office> {
    const clock = new FakeClock();
    const warnings: string[] = [];
    const log = { info: () => undefined, debug: () => undefined, warn: (text: string) => void warnings.push(text) };
    const simulator = createSimulator(options, { clock, log });
    return new Office(simulator, await simulator.start(), clock, warnings);
  }

  async connect(): Promise<BareClient> {
    const client = await BareClient.open(this.address.port);
    this.clients.push(client);
    return client;
  }

  /** A logged-in client: as the built-in user, or as one of the users of the options. */
  async login(headers: Readonly<Record<string, string>> = {}): Promise<BareClient> {
    const client = await this.connect();
    await client.action('Login', { Username: this.address.username, Secret: this.address.secret, ...headers });
    return client;
  }

  /** Lets the time pass as fast as it can until the work is done. */
  async play<Result>(work: Promise<Result>): Promise<Result> {
    const state = { settled: false };
    const finish = (): void => void (state.settled = true);
    work.then(finish, finish);
    await this.clock.advanceAsync(0);
    while (!state.settled) await this.clock.advanceAsync(this.clock.next ?? 0);
    return work;
  }

  /** Puts in a call and answers its question with these variables. It goes on as soon as time passes. */
  async incoming(
    client: BareClient,
    answer: Readonly<Record<string, string>>,
    more: { readonly patienceMs?: number } = {},
  ): Promise<{ readonly outcome: Promise<SimulatedCallOutcome>; readonly channel: string }> {
    const before = client.messages.length;
    const outcome = this.simulator.call({ from: '79261112233', name: 'Иван Петров', did: '74951000101', ...more });
    const started = (): Message | undefined =>
      client.messages.slice(before).find((message) => message.event === 'AsyncAGIStart');
    await until(() => started() !== undefined, 'the question of the call');
    const channel = started()!.get('Channel')!;
    for (const [name, value] of Object.entries(answer)) {
      await client.action('Setvar', { Channel: channel, Variable: name, Value: value });
    }
    await client.action('AGI', { Channel: channel, Command: 'ASYNCAGI BREAK', CommandID: 'leave' });
    return { outcome, channel };
  }

  async close(): Promise<void> {
    await this.simulator.stop();
    for (const client of this.clients) client.socket.destroy();
  }
}
