import type { Node, NodeInitializer } from 'node-red';
import { systemClock } from '../lib/clock';
import { asError } from '../lib/errors';
import { createFinesseClient } from '../lib/finesse/client';
import { createFinesseLine } from '../lib/finesse/line';
import { probeFinesse } from '../lib/finesse/probe';
import { createGuard } from '../lib/outbound/guard';
import { adminAction, dialogCredentials, withEnvironment } from './runtime/admin';
import type { FinesseConfigNode } from './runtime/config-nodes';
import { agentOf, finesseSettings, passwordSlots, serverOf } from './runtime/finesse-settings';
import type { FinesseConfigDef } from './runtime/finesse-settings';
import { forPeople, wordsFor } from './runtime/language';
import { onClose } from './runtime/lifecycle';
import { nodeLog } from './runtime/node-log';

type Passwords = Partial<Record<string, string>>;

const init: NodeInitializer = (red) => {
  function FinesseConfig(this: Node<Passwords>, def: FinesseConfigDef): void {
    red.nodes.createNode(this, def);
    const offered = this as { -readonly [Key in 'dialling' | 'problem']?: FinesseConfigNode[Key] };
    try {
      const { agents, problems, addressOf, name, plan, rules, ...server } = finesseSettings(red, def, this.credentials);
      for (const problem of problems) this.warn(wordsFor(red, this, problem));
      const client = createFinesseClient({ ...server, name, clock: systemClock });
      const line = createFinesseLine({ client, agents, addressOf, clock: systemClock, log: nodeLog(red, this) });
      offered.dialling = { name, line, plan, guard: createGuard(rules, plan, systemClock) };
      onClose(red, this, () => line.close());
    } catch (thrown) {
      // The node lives on, so that the nodes that use it can say what is wrong.
      offered.problem = asError(thrown);
      this.error(forPeople(red, this.type, offered.problem).message);
    }
  }
  red.nodes.registerType<Node<Passwords>, FinesseConfigDef, object, Passwords>('finesse-config', FinesseConfig, {
    credentials: Object.fromEntries(passwordSlots.map((slot) => [slot, { type: 'password' }])),
  });

  // It asks the address in the dialog, with the stored password of that agent if it was not retyped: who may write this node can do the
  // same by deploying it.
  adminAction(red, '/telephony-crm/finesse-config/:id/test', 'finesse-config.write', async ({ id, body }) => {
    const typed = withEnvironment(red, id, { ...body, credentials: undefined }) as FinesseConfigDef & {
      readonly agent?: Readonly<Record<string, unknown>>;
    };
    const passwords = dialogCredentials(red, id, body.credentials, passwordSlots);
    const server = serverOf(red, typed);
    const agent = typed.agent === undefined ? undefined : agentOf(server.name, typed.agent, passwords);
    const client = createFinesseClient({ ...server, clock: systemClock });
    try {
      return { note: (await probeFinesse(client, agent))[body.lang] };
    } finally {
      client.close();
    }
  });
};

export default init;
