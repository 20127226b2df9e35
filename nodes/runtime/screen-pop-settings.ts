import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Desk } from '../../lib/agents/desk';
import type { DeskOptions } from '../../lib/agents/desk';
import { agentError } from '../../lib/agents/errors';
import type { DeskMemory } from '../../lib/agents/memory';
import { PopTemplate } from '../../lib/agents/pop-url';
import type { QueueRules } from '../../lib/agents/queues';
import { SignIn } from '../../lib/agents/sign-in';
import type { SignInOptions } from '../../lib/agents/sign-in';
import { systemClock } from '../../lib/clock';
import type { AgentOrder, ControlOrder } from '../../lib/control/types';
import { Access } from '../../lib/http-in/access';
import type { QueueMessage } from '../../lib/messages/queues';
import type { PbxMessage } from '../../lib/messages/types';
import type { Pbx } from '../../lib/pbx/pbx';
import { AgentPage } from './agent-page';
import { agentPins } from './agent-pins';
import type { AgentRows } from './agent-pins';
import { BareChannel } from './bare-channel';
import { crmConfig, storeConfig } from './config-nodes';
import { takeControls } from './controls';
import { keptKey } from './kept-key';
import { wordsFor } from './language';
import { keyOf, textOf } from './settings';

export interface ScreenPopDef extends NodeDef {
  readonly path?: string;
  readonly pbx?: string;
  readonly agents?: AgentRows;
  /** Whose table says who an agent is. */
  readonly crm?: string;
  /** Where the calls of the day are kept. */
  readonly store?: string;
  /** Address templates: of a known client, and of an unknown one. */
  readonly url?: string;
  readonly unknownUrl?: string;
  readonly popAt?: string;
  readonly openIn?: string;
  /** Agents join and leave queues and go on pause here; `agent_info` and `call_info` come from the queues, too. */
  readonly queues?: boolean;
  /** Queues that they may join and leave, separated by commas or lines; empty: all. */
  readonly queueList?: string;
  /** Reasons for a pause, one on each line. */
  readonly reasons?: string;
  readonly freeReason?: boolean;
  /** Web pages that may listen to `stream`, separated by blanks or commas. */
  readonly origins?: string;
  readonly trustedProxies?: string;
}

/** `secret` signs links of the CRM; the others are hashes of PINs, see {@link AgentRows}. */
export type ScreenPopCredentials = Partial<Record<string, string>>;

/** One page of agents at work. */
export interface AgentDesk {
  readonly desk: Desk;
  readonly page: AgentPage;
  readonly onCall: (message: PbxMessage) => void;
  readonly onQueue: (message: QueueMessage) => void;
  close(): Promise<void>;
}

const DAY_LIMIT = 50;
/** Characters of the key for links. */
const LEAST_KEY = 16;

function templateOf(value: unknown): PopTemplate | undefined {
  const text = textOf(value);
  return text === '' ? undefined : new PopTemplate(text);
}

function originsOf({ origins }: ScreenPopDef): readonly string[] {
  const listed = textOf(origins)
    .split(/[\s,]+/)
    .filter((each) => each !== '');
  return listed.map((each) => {
    if (!/^https?:\/\//i.test(each) || !URL.canParse(each)) throw agentError('AGENT_BAD_ORIGIN', { origin: each });
    return new URL(each).origin;
  });
}

function queueRules({ queueList, reasons, freeReason }: ScreenPopDef): QueueRules {
  const listed = (value: unknown, between: RegExp): string[] => [
    ...new Set(
      textOf(value)
        .split(between)
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    ),
  ];
  return {
    allowed: listed(queueList, /[\n,]/),
    reasons: listed(reasons, /\n/),
    freeReason: freeReason === true,
  };
}

function deskOptions(red: NodeAPI, def: ScreenPopDef): DeskOptions {
  const known = templateOf(def.url);
  const unknown = templateOf(def.unknownUrl);
  const account = crmConfig(red, def.crm)?.account;
  return {
    templates: { ...(known ? { known } : {}), ...(unknown ? { unknown } : {}) },
    popAt: def.popAt === 'ringing' || def.popAt === 'never' ? def.popAt : 'answer',
    tab: def.openIn === 'tab',
    history: storeConfig(red, def.store)?.store !== undefined,
    ...(def.queues === true ? { queues: queueRules(def) } : {}),
    userOf: (extension) => {
      const line = account?.userOf(extension);
      return line && { id: line.userId, ...(line.name === undefined ? {} : { name: line.name }) };
    },
  };
}

/** Throws `AGENT_SHORT_KEY`: who has one link can try keys at home, as fast as his machine does. */
function linkKey(value: unknown): string {
  const key = keyOf(value);
  if (key !== '' && key.length < LEAST_KEY) throw agentError('AGENT_SHORT_KEY', { least: LEAST_KEY });
  return key;
}

function signInOptions(
  red: NodeAPI,
  node: Node<ScreenPopCredentials>,
  { agents = [] }: ScreenPopDef,
  pbx: Pbx,
): SignInOptions {
  const { credentials } = node;
  const { pins, without } = agentPins(agents, credentials, pbx);
  if (without.length > 0) {
    node.warn(wordsFor(red, node, agentError('AGENT_NO_PIN', { extensions: without.slice(0, 20).join(', ') })));
  }
  return {
    pins,
    secret: linkKey(credentials.secret),
    pbx: pbx.name,
    page: node.id,
    key: keptKey(red, 'agents.key', (problemEn, problemRu) => agentError('AGENT_NO_KEY', { problemEn, problemRu })),
  };
}

/** Throws a TelephonyError when the settings are wrong. */
export function agentDesk(
  red: NodeAPI,
  node: Node<ScreenPopCredentials>,
  def: ScreenPopDef,
  pbx: Pbx,
  memory: DeskMemory,
  tell: (topic: string, payload: Readonly<Record<string, unknown>>) => void,
): AgentDesk {
  const account = crmConfig(red, def.crm)?.account;
  const options = deskOptions(red, def);
  const origins = originsOf(def);
  const signIn = signInOptions(red, node, def, pbx);
  const access = new Access({ allowList: '', trustedProxies: textOf(def.trustedProxies) });
  // Last of all: settings that are refused have nothing to let go.
  const controls = takeControls(pbx);
  const isNamed = (extension: string): boolean => account?.users.some((user) => user.extension === extension) === true;
  const deps = {
    clock: systemClock,
    calls: pbx.calls,
    members: () => pbx.queues.members,
    run: (order: ControlOrder) => controls.calls.run(order, isNamed),
    runAgent: (order: AgentOrder) => controls.agents.run(order),
  };
  const desk = new Desk(options, deps, memory);
  const bare = new BareChannel(memory.bare, pbx.plan, account);
  const store = storeConfig(red, def.store)?.store;
  const page = new AgentPage({
    desk,
    signIn: new SignIn(signIn, systemClock, memory.signIn),
    access,
    clock: systemClock,
    origins,
    bare: (...asked) => bare.listen(...asked),
    ...(store
      ? {
          history: async (extension: string) => {
            const from = new Date(systemClock.now()).setHours(0, 0, 0, 0);
            // Another PBX in the same store may have the same extension, of somebody else.
            const found = await store.calls.find({
              pbx: pbx.name,
              from,
              extensions: [extension],
              sort: '-startedAt',
              limit: DAY_LIMIT,
            });
            return found.calls;
          },
        }
      : {}),
    nameOf: (extension) => options.userOf(extension)?.name,
    tell,
    warn: (error) => node.warn(error.message),
  });
  return {
    desk,
    page,
    onCall: (message) => {
      desk.onCall(message);
      if (message.topic !== 'gap') bare.tell(message);
    },
    onQueue: (message) => {
      desk.onQueue(message);
      if (message.topic === 'agent_change') bare.tell(message);
    },
    close: async () => {
      page.close();
      await controls.release();
    },
  };
}
