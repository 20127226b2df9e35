import type { Node, NodeDef, NodeInitializer, NodeStatus } from 'node-red';
import type { IncomingCall, SimulatedCallOutcome } from '../lib/simulator/types';
import { pbxError } from '../lib/pbx/errors';
import { whenReady } from '../lib/pbx/ready';
import { amiConfig } from './runtime/config-nodes';
import { onClose, onInput } from './runtime/lifecycle';
import { linkStatus, NO_PBX_STATUS } from './runtime/link-status';
import { StatusLine } from './runtime/status';

interface SimulatedCallDef extends NodeDef {
  readonly pbx?: string;
  readonly from?: string;
  readonly did?: string;
  readonly callerName?: string;
}

/** A call put in right after the deploy waits so long for the simulator, in milliseconds. */
const READY_WITHIN_MS = 10_000;

/** How long a caller waits for an answer at most, when a message says it, in seconds. */
const MAX_PATIENCE_S = 3600;

/** What the message says of the call, over what stands in the dialog. */
function incomingCall(def: SimulatedCallDef, payload: unknown): IncomingCall {
  const asked = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  const pick = (value: unknown, typed = ''): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value).trim() : typed.trim();
  const name = pick(asked.name, def.callerName);
  const patience = Number(asked.patienceSeconds);
  return {
    from: pick(asked.from, def.from),
    did: pick(asked.did, def.did),
    ...(name === '' ? {} : { name }),
    ...(patience > 0 ? { patienceMs: Math.min(patience, MAX_PATIENCE_S) * 1000 } : {}),
  };
}

const init: NodeInitializer = (red) => {
  const outcomeStatus = ({ result, extension = '' }: SimulatedCallOutcome): NodeStatus => ({
    fill: result === 'answered' ? 'green' : 'grey',
    shape: 'dot',
    text: red._(`simulated-call.status.${result}`, { extension }),
  });

  function SimulatedCall(this: Node, def: SimulatedCallDef): void {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    const pbx = amiConfig(red, def.pbx)?.pbx;
    const simulator = pbx?.simulator;
    const forget: (() => void)[] = [];
    /** Linkedids of the calls of this node that are under way. */
    const calls = new Set<string>();

    if (!pbx) {
      status.setBase(NO_PBX_STATUS);
    } else if (pbx.problem) {
      status.setBase(linkStatus(pbx));
    } else if (!simulator) {
      status.setBase({ fill: 'grey', shape: 'ring', text: 'simulated-call.status.real-pbx' });
    } else {
      status.setBase(linkStatus(pbx));
      forget.push(
        pbx.client.onState((state) => status.setBase(linkStatus(pbx, state))),
        pbx.client.subscribe(['DialBegin'], (event) => {
          const extension = /^PJSIP\/(\d+)-/.exec(event.get('DestChannel') ?? '')?.[1];
          if (extension === undefined || !calls.has(event.get('Linkedid') ?? '')) return;
          status.show(
            { fill: 'blue', shape: 'dot', text: red._('simulated-call.status.ringing', { extension }) },
            60_000,
          );
        }),
      );
      pbx.open();
    }

    onInput(red, this, async (msg, send) => {
      if (!pbx) throw pbxError('PBX_NOT_CHOSEN');
      if (pbx.problem) throw pbx.problem;
      if (!simulator) throw pbxError('SIMULATOR_ONLY', { name: pbx.name });
      await whenReady(pbx, READY_WITHIN_MS);
      let own = '';
      const onBegin = (callId: string): void => {
        own = callId;
        calls.add(callId);
      };
      try {
        const outcome = await simulator.call({ ...incomingCall(def, msg.payload), onBegin });
        status.show(outcomeStatus(outcome));
        msg.payload = outcome;
      } finally {
        calls.delete(own);
      }
      send(msg);
    });
    onClose(red, this, () => {
      forget.forEach((end) => end());
      status.close();
    });
  }
  red.nodes.registerType('simulated-call', SimulatedCall);
};

export default init;
