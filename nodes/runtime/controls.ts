import { createAgentControl } from '../../lib/control/agents';
import { createCallControl } from '../../lib/control/control';
import { controlError } from '../../lib/control/errors';
import type { AgentControl, CallControl } from '../../lib/control/types';
import type { Pbx } from '../../lib/pbx/pbx';
import { knows } from '../../lib/presence/knows';

/** What one node orders of a PBX. */
export interface Controls {
  readonly calls: Pick<CallControl, 'run'>;
  readonly agents: Pick<AgentControl, 'run' | 'status'>;
  /** To be called when the node is closed. */
  release(): Promise<void>;
}

interface Shared {
  readonly calls: CallControl;
  readonly agents: AgentControl;
  users: number;
}

const shared = new WeakMap<Pbx, Shared>();

function sharedOf(pbx: Pbx): Shared {
  const known = shared.get(pbx);
  if (known) return known;
  const { client, plan, dialling, trunks, presence } = pbx;
  const onPbx = { client, plan, dialling, trunks };
  const made = {
    calls: createCallControl({ ...onPbx, knows: (extension) => knows(presence, extension) }),
    agents: createAgentControl(onPbx),
    users: 0,
  };
  shared.set(pbx, made);
  return made;
}

/**
 * One for all nodes of a PBX, so that orders on one call, and on one agent, go one after the other, whichever node gives them. It is closed
 * when the last of them lets go; until then an order that waits is carried out, though its own node has let go.
 */
export function takeControls(pbx: Pbx): Controls {
  const own = sharedOf(pbx);
  own.users += 1;
  let isReleased = false;
  const held = <T>(carryOut: () => Promise<T>): Promise<T> =>
    isReleased ? Promise.reject(controlError('CONTROL_STOPPED')) : carryOut();
  return {
    calls: { run: (...order) => held(() => own.calls.run(...order)) },
    agents: {
      run: (order) => held(() => own.agents.run(order)),
      status: (order) => held(() => own.agents.status(order)),
    },
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      own.users -= 1;
      if (own.users > 0) return;
      shared.delete(pbx);
      own.agents.close();
      await own.calls.close();
    },
  };
}
