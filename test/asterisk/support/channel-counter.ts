import { createAmiClient } from '../../../lib/ami';
import type { AmiClient, AmiMessage } from '../../../lib/ami/types';
import { until } from '../../support/wait';
import type { TestAsterisk } from './asterisk';

/** A first leg: the channel that an Originate has made. */
export interface CountedChannel {
  readonly id: string;
  readonly orderId: number;
  readonly try: number;
  /** `PJSIP/client` */
  readonly trunk: string;
  /** Of the steady clock, ms. */
  readonly at: number;
}

/** Counts on the side of the PBX, over a link of its own, what diallers have it do. */
export class ChannelCounter {
  /** All that there ever were, in order. */
  readonly born: CountedChannel[] = [];
  /** Most at once. */
  most = 0;
  /** Most at once, by trunk. */
  readonly mostOf = new Map<string, number>();
  private readonly up = new Map<string, string>();
  private readonly answered = new Set<string>();

  private constructor(private readonly client: AmiClient) {}

  static async start({ amiPort: port }: TestAsterisk): Promise<ChannelCounter> {
    const client = createAmiClient({
      host: '127.0.0.1',
      port,
      username: 'admin',
      secret: 'admin-secret',
      events: 'call',
    });
    const counter = new ChannelCounter(client);
    client.subscribe(['Newchannel', 'Newstate', 'Hangup'], (event) => counter.count(event));
    // Those of a PBX that was killed are gone.
    client.onState(({ phase }) => phase === 'ready' && void counter.recount());
    client.connect();
    await until(() => client.state.phase === 'ready', 'the link of the counter');
    return counter;
  }

  get isConnected(): boolean {
    return this.client.state.phase === 'ready';
  }

  get now(): number {
    return this.up.size;
  }

  /** How many tries of an order have become a channel. */
  triesOf(orderId: number): number {
    return this.born.filter((one) => one.orderId === orderId).length;
  }

  /** How many tries of an order were answered, as far as Asterisk knew. */
  answersOf(orderId: number): number {
    return this.born.filter((one) => one.orderId === orderId && this.answered.has(one.id)).length;
  }

  /** The most that began within a minute, but for two seconds: so late can an Originate be after its place was taken. */
  get mostPerMinute(): number {
    const counts = this.born.map(({ at }) => this.born.filter((one) => one.at >= at && one.at < at + 58_000).length);
    return Math.max(0, ...counts);
  }

  /** ChannelIds that were there more than once. */
  get twice(): string[] {
    const ids = this.born.map(({ id }) => id);
    return ids.filter((id, index) => ids.indexOf(id) !== index);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private count(event: AmiMessage): void {
    const id = event.get('Uniqueid') ?? '';
    if (event.get('ChannelState') === '6') this.answered.add(id);
    if (event.name === 'Newstate') return;
    if (event.name === 'Hangup') {
      this.up.delete(id);
      return;
    }
    const [, order, attempt] = /^tcrm-\w+-(\d+)-(\d+)$/.exec(id) ?? [];
    if (order === undefined) return;
    const trunk = (event.get('Channel') ?? '').replace(/-[0-9a-f]+(;\d)?$/, '');
    this.born.push({ id, orderId: Number(order), try: Number(attempt), trunk, at: performance.now() });
    this.up.set(id, trunk);
    const ofTrunk = [...this.up.values()].filter((one) => one === trunk).length;
    this.most = Math.max(this.most, this.up.size);
    this.mostOf.set(trunk, Math.max(this.mostOf.get(trunk) ?? 0, ofTrunk));
  }

  private async recount(): Promise<void> {
    const rows = await this.client.list({ action: 'CoreShowChannels' }).catch(() => []);
    const ids = new Set(rows.map((row) => row.get('Uniqueid')));
    for (const id of this.up.keys()) if (!ids.has(id)) this.up.delete(id);
  }
}
