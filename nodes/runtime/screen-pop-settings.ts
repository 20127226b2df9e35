import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { DeskOptions } from '../../lib/agents/desk';
import { agentError } from '../../lib/agents/errors';
import { PopTemplate } from '../../lib/agents/pop-url';
import type { QueueRules } from '../../lib/agents/queues';
import type { SignInOptions } from '../../lib/agents/sign-in';
import { Access } from '../../lib/http-in/access';
import type { Pbx } from '../../lib/pbx/pbx';
import { agentPins } from './agent-pins';
import type { AgentRows } from './agent-pins';
import { crmConfig, storeConfig } from './config-nodes';
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

/** What the dialog of one `screen-pop` says. */
interface ScreenPopSettings {
  readonly desk: DeskOptions;
  readonly signIn: SignInOptions;
  /** Which proxies are believed. */
  readonly access: Access;
  /** Other web pages that may listen. */
  readonly origins: readonly string[];
}

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

/** Reads the dialog. Throws a TelephonyError when the settings are wrong. */
export function screenPopSettings(
  red: NodeAPI,
  node: Node<ScreenPopCredentials>,
  def: ScreenPopDef,
  pbx: Pbx,
): ScreenPopSettings {
  return {
    desk: deskOptions(red, def),
    signIn: signInOptions(red, node, def, pbx),
    access: new Access({ allowList: '', trustedProxies: textOf(def.trustedProxies) }),
    origins: originsOf(def),
  };
}
