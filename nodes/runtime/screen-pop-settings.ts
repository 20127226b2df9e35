import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Desk } from '../../lib/agents/desk';
import type { DeskOptions } from '../../lib/agents/desk';
import { readPins } from '../../lib/agents/pins';
import { PopTemplate } from '../../lib/agents/pop-url';
import { SignIn } from '../../lib/agents/sign-in';
import { systemClock } from '../../lib/clock';
import { createCallControl } from '../../lib/control/control';
import type { CallControl } from '../../lib/control/types';
import { Access } from '../../lib/http-in/access';
import type { QueueMessage } from '../../lib/messages/queues';
import type { PbxMessage } from '../../lib/messages/types';
import type { Pbx } from '../../lib/pbx/pbx';
import { AgentPage } from './agent-page';
import { BareChannel } from './bare-channel';
import { knows } from '../../lib/presence/knows';
import { crmConfig, storeConfig } from './config-nodes';
import { keyOf, textOf } from './settings';

export interface ScreenPopDef extends NodeDef {
  readonly path?: string;
  readonly pbx?: string;
  /** Whose table says who an agent is. */
  readonly crm?: string;
  /** Where the calls of the day are kept. */
  readonly store?: string;
  /** Address templates: of a known client, and of an unknown one. */
  readonly url?: string;
  readonly unknownUrl?: string;
  readonly popAt?: string;
  readonly openIn?: string;
  /** Take names of queues and `call_info` from the queues, too. */
  readonly queues?: boolean;
  /** Web pages that may listen to `stream`, separated by blanks or commas. */
  readonly origins?: string;
  readonly trustedProxies?: string;
}

export interface ScreenPopCredentials {
  /** One line `<extension> <hash>` for each agent. */
  readonly pins?: string;
  /** Signs links of the CRM. */
  readonly secret?: string;
}

/** One page of agents at work. */
export interface AgentDesk {
  readonly desk: Desk;
  readonly page: AgentPage;
  readonly onCall: (message: PbxMessage) => void;
  readonly onQueue: (message: QueueMessage) => void;
  close(): Promise<void>;
}

const DAY_LIMIT = 50;

function templateOf(value: unknown): PopTemplate | undefined {
  const text = textOf(value);
  return text === '' ? undefined : new PopTemplate(text);
}

function deskOptions(red: NodeAPI, def: ScreenPopDef): DeskOptions {
  const known = templateOf(def.url);
  const unknown = templateOf(def.unknownUrl);
  const account = crmConfig(red, def.crm)?.account;
  return {
    templates: { ...(known ? { known } : {}), ...(unknown ? { unknown } : {}) },
    popAt: def.popAt === 'ringing' || def.popAt === 'never' ? def.popAt : 'answer',
    tab: def.openIn === 'tab',
    userOf: (extension) => {
      const line = account?.userOf(extension);
      return line && { id: line.userId, ...(line.name === undefined ? {} : { name: line.name }) };
    },
  };
}

/** Throws a TelephonyError when the settings are wrong. */
export function agentDesk(
  red: NodeAPI,
  node: Node<ScreenPopCredentials>,
  def: ScreenPopDef,
  pbx: Pbx,
  tell: (topic: string, payload: Readonly<Record<string, unknown>>) => void,
): AgentDesk {
  const { client, plan, dialling, trunks, presence } = pbx;
  const account = crmConfig(red, def.crm)?.account;
  const control: CallControl = createCallControl({
    client,
    plan,
    dialling,
    trunks,
    knows: async (extension) =>
      account?.users.some((user) => user.extension === extension) ? 'known' : knows(presence, extension),
  });
  const options = deskOptions(red, def);
  const desk = new Desk(options, {
    clock: systemClock,
    current: () => pbx.calls.current,
    run: (order) => control.run(order),
  });
  const bare = new BareChannel(plan, account);
  const store = storeConfig(red, def.store)?.store;
  const page = new AgentPage({
    desk,
    signIn: new SignIn(
      { pins: readPins(node.credentials.pins ?? ''), secret: keyOf(node.credentials.secret) },
      systemClock,
    ),
    access: new Access({ allowList: '', trustedProxies: textOf(def.trustedProxies) }),
    clock: systemClock,
    origins: textOf(def.origins)
      .split(/[\s,]+/)
      .filter((origin) => URL.canParse(origin))
      .map((origin) => new URL(origin).origin),
    bare: (...asked) => bare.listen(...asked),
    ...(store
      ? {
          history: async (extension: string) => {
            const from = new Date(systemClock.now()).setHours(0, 0, 0, 0);
            const found = await store.calls.find({
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
      await control.close();
    },
  };
}
