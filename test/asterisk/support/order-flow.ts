import type { OrderOutcome, OrderProgress } from '../../../lib/dialer/types';
import { FakeCrm, json } from '../../support/fake-crm';
import { until } from '../../support/wait';
import type { FlowNode } from './pack-in-node-red';

/** What stands in `ami-config` for a real PBX whose clients are behind the endpoint `client`. */
export const REAL_PBX = (amiPort: number): Readonly<Record<string, unknown>> => ({
  mode: 'asterisk',
  host: '127.0.0.1',
  port: String(amiPort),
  dialAs: 'digits',
  dialChannels: '* = PJSIP/{number}@client',
  perMinute: '1000',
  credentials: { username: 'crm-dial', secret: 'crm-dial-secret' },
});

/** Without a place it would be taken for a config node. */
export const PLACE = { x: 100, y: 100 } as const;

/** Hears what the nodes of a flow send. */
export class FlowListener {
  private constructor(private readonly server: FakeCrm) {}

  static async start(): Promise<FlowListener> {
    return new FlowListener(await new FakeCrm(json({})).start());
  }

  /** A way into a node: what is posted to `/test/<name>` goes in as payload. */
  into(node: string, name: string, tab: string): FlowNode[] {
    const [way, answer] = [`in-${name}`, `ok-${name}`];
    return [
      { id: way, type: 'http in', z: tab, ...PLACE, url: `/test/${name}`, method: 'post', wires: [[answer, node]] },
      { id: answer, type: 'http response', z: tab, ...PLACE, statusCode: '204', wires: [] },
    ];
  }

  /** A node that tells the payloads of what it gets, under a name. */
  ear(name: string, tab: string): FlowNode {
    const request = { method: 'POST', ret: 'txt', paytoqs: 'ignore', url: `${this.server.origin}/${name}` };
    return { id: `ear-${name}`, type: 'http request', z: tab, ...PLACE, ...request, headers: [], wires: [[]] };
  }

  heard(name: string): unknown[] {
    return this.server.requests.filter(({ url }) => url === `/${name}`).map(({ body }) => JSON.parse(body) as unknown);
  }

  outcomes(name: string): OrderOutcome[] {
    return this.heard(name) as OrderOutcome[];
  }

  /** Of an order by its key. */
  states(name: string, key: string): string[] {
    return (this.heard(name) as OrderProgress[]).filter((one) => one.key === key).map(({ state }) => state);
  }

  forget(): void {
    this.server.requests.length = 0;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}

/** The node with its outputs heard too. */
export function alsoTo(node: FlowNode, ears: readonly (readonly string[])[]): FlowNode {
  const wires = (node.wires as readonly (readonly string[])[] | undefined) ?? [];
  return { ...node, wires: ears.map((more, output) => [...(wires[output] ?? []), ...more]) };
}

/** Hands a payload to a way {@link FlowListener.into} a node; waits for the way when the flow is only just starting. */
export async function give(url: string, name: string, payload: unknown): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const post = () => fetch(`${url}/test/${name}`, { method: 'POST', headers, body: JSON.stringify(payload) });
  await until(async () => (await post()).status === 204, `the way /test/${name} into the flow`);
}
