import type { Node, NodeAPI } from 'node-red';
import { Desk } from '../../lib/agents/desk';
import type { DeskMemory } from '../../lib/agents/memory';
import { SignIn } from '../../lib/agents/sign-in';
import { systemClock } from '../../lib/clock';
import type { QueueMessage } from '../../lib/messages/queues';
import type { PbxMessage } from '../../lib/messages/types';
import type { Pbx } from '../../lib/pbx/pbx';
import type { CallTable } from '../../lib/store/types';
import { ownTimeZone, startOfDay } from '../../lib/time-zone';
import { AgentPage } from './agent-page';
import { BareChannel } from './bare-channel';
import { crmConfig, storeConfig } from './config-nodes';
import { takeControls } from './controls';
import { screenPopSettings } from './screen-pop-settings';
import type { ScreenPopCredentials, ScreenPopDef } from './screen-pop-settings';

/** One page of agents at work. */
export interface AgentDesk {
  readonly desk: Desk;
  readonly page: AgentPage;
  readonly onCall: (message: PbxMessage) => void;
  readonly onQueue: (message: QueueMessage) => void;
  close(): Promise<void>;
}

const DAY_LIMIT = 50;

/** The calls of today, by the clocks of this computer, of one extension. */
async function callsOfDay(calls: CallTable, pbx: string, extension: string): Promise<readonly unknown[]> {
  const from = startOfDay(ownTimeZone(), systemClock.now());
  // Another PBX in the same store may have the same extension, of somebody else.
  const found = await calls.find({ pbx, from, extensions: [extension], sort: '-startedAt', limit: DAY_LIMIT });
  return found.calls;
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
  const settings = screenPopSettings(red, node, def, pbx);
  const account = crmConfig(red, def.crm)?.account;
  const store = storeConfig(red, def.store)?.store;
  // After the settings: those that are refused have nothing to let go.
  const controls = takeControls(pbx);
  const isNamed = (extension: string): boolean => account?.users.some((user) => user.extension === extension) === true;
  const desk = new Desk(
    settings.desk,
    {
      clock: systemClock,
      calls: pbx.calls,
      members: () => pbx.queues.members,
      run: (order) => controls.calls.run(order, isNamed),
      runAgent: (order) => controls.agents.run(order),
    },
    memory,
  );
  const bare = new BareChannel(memory.bare, pbx.plan, account);
  const page = new AgentPage({
    desk,
    signIn: new SignIn(settings.signIn, systemClock, memory.signIn),
    access: settings.access,
    clock: systemClock,
    origins: settings.origins,
    bare: (...asked) => bare.listen(...asked),
    ...(store ? { history: (extension: string) => callsOfDay(store.calls, pbx.name, extension) } : {}),
    nameOf: (extension) => settings.desk.userOf(extension)?.name,
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
