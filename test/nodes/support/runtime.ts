import { EventEmitter, once } from 'node:events';
import helper from 'node-red-node-test-helper';
import type { Node, NodeAPI, NodeInitializer, NodeStatus } from 'node-red';
import type { Lang } from '../../../lib/errors';
import { until } from '../../support/wait';
import { translator } from './catalogue';

/** A node as it stands in a flow file. No property may be `undefined`: the helper compares the flow as saved. */
export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

export type Credentials = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What arrived at a node of the type `sink`, by its id. */
const arrived = new Map<string, Record<string, unknown>[]>();
let credentialsNow: Credentials = {};
let events: EventEmitter = new EventEmitter();

// The matrix names another Node-RED.
helper.init(require.resolve(process.env.TEST_NODE_RED ?? 'node-red'));

/** A node on a canvas has a place; without one the runtime takes it for a config node and starts it in another order. */
const placed = (flow: readonly FlowNode[]): FlowNode[] =>
  flow.map((each) => (each.z === undefined ? each : { x: 0, y: 0, ...each }));

function registerSink(red: NodeAPI): void {
  red.nodes.registerType('sink', function (this: Node, def) {
    red.nodes.createNode(this, def);
    this.on('input', (msg, _send, done) => {
      const list = arrived.get(this.id) ?? [];
      list.push(msg);
      arrived.set(this.id, list);
      done();
    });
  });
}

/**
 * Starts a flow in a real runtime. Beside the given nodes it knows `sink` (keeps what it gets: {@link messages}), `catch`,
 * `status` and `complete`. `RED._` reads the pack's own catalogues, in English unless told.
 */
export async function load(
  nodes: readonly NodeInitializer[],
  flow: readonly FlowNode[],
  options: { readonly credentials?: Credentials; readonly lang?: Lang } = {},
): Promise<void> {
  arrived.clear();
  credentialsNow = options.credentials ?? {};
  const init: NodeInitializer = async (red) => {
    // The helper's own `_` only echoes the key.
    red._ = translator(options.lang ?? 'en');
    events = red.events;
    registerSink(red);
    for (const node of nodes) await node(red);
  };
  await helper.load(init, placed(flow), credentialsNow);
}

/** Deploys a changed flow the way the editor does: `nodes` restarts the changed nodes only. */
export async function deploy(
  flow: readonly FlowNode[],
  type: 'full' | 'flows' | 'nodes' = 'nodes',
  credentials: Credentials = credentialsNow,
): Promise<void> {
  credentialsNow = credentials;
  // The helper gives up after 300 ms, which a loaded machine needs now and then: wait for the event ourselves.
  const started = once(events, 'flows:started', { signal: AbortSignal.timeout(50_000) });
  await helper.setFlows(placed(flow), type, credentials).catch((thrown: unknown) => {
    if (!(thrown instanceof Error && thrown.message === 'timeout waiting event')) throw thrown;
  });
  await started;
}

/** Stops the flow; to be awaited after every test. */
export const unload = (): Promise<void> => helper.unload();

/** The running node, `undefined` when it is not there. */
export const node = (id: string): Node | undefined => helper.getNode(id);

/** The Admin API of the running runtime (supertest). */
export const admin = () => helper.request();

/** Puts a message into a node, as a wire would. */
export function receive(id: string, msg: Record<string, unknown>): void {
  const target = node(id);
  if (!target) throw new Error(`no node ${id}`);
  target.receive(msg);
}

/** What has arrived at a sink so far, in order. */
export const messages = (sinkId: string): readonly Record<string, unknown>[] => arrived.get(sinkId) ?? [];

/** Waits until a sink has at least `count` messages and gives them. */
export async function waitForMessages(
  sinkId: string,
  count = 1,
  ms?: number,
): Promise<readonly Record<string, unknown>[]> {
  await until(() => messages(sinkId).length >= count, `${count} message(s) at ${sinkId}`, ms);
  return messages(sinkId);
}

/** Every status that nodes of this id have set since the flow was loaded, in order, redeploys included. */
export function statuses(id: string): NodeStatus[] {
  const spied = node(id) as { readonly status: ReturnType<typeof helper.log> } | undefined;
  if (!spied) return [];
  return spied.status
    .getCalls()
    .filter((call) => (call.thisValue as Node).id === id)
    .map((call) => call.args[0] as NodeStatus);
}

export const lastStatus = (id: string): NodeStatus | undefined => statuses(id).at(-1);

/** Waits until the node's status has these properties. */
export async function waitForStatus(id: string, wanted: NodeStatus, ms?: number): Promise<void> {
  await until(
    () => {
      const now = lastStatus(id) ?? {};
      const fits = Object.entries(wanted).every(([name, value]) => now[name as keyof NodeStatus] === value);
      if (!fits) throw new Error(`the status is ${JSON.stringify(now)}`);
      return true;
    },
    `status ${JSON.stringify(wanted)} of ${id}`,
    ms,
  );
}

export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug' | 'other';
  readonly id?: string;
  readonly text: string;
}

const LEVELS: Readonly<Record<number, LogLine['level']>> = { 20: 'error', 30: 'warn', 40: 'info', 50: 'debug' };

/** What was written into Node-RED's log since the flow was loaded. */
export function logLines(id?: string): LogLine[] {
  return helper
    .log()
    .getCalls()
    .map((call) => call.args[0] as { level: number; id?: string; msg?: unknown })
    .map((line) => ({
      level: LEVELS[line.level] ?? 'other',
      ...(line.id === undefined ? {} : { id: line.id }),
      text: line.msg instanceof Error ? line.msg.message : String(line.msg),
    }))
    .filter((line) => id === undefined || line.id === id);
}
