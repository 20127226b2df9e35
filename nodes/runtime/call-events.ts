import type { Node, NodeAPI } from 'node-red';
import { callFilter, forFlow } from '../../lib/pbx/call-filter';
import type { EndListening } from '../../lib/pbx/call-listeners';
import type { Pbx } from '../../lib/pbx/pbx';
import { crmConfig } from './config-nodes';
import { whenFlowsStarted } from './flows-started';
import { onClose } from './lifecycle';
import { linkStatus } from './link-status';
import { recordingsOf } from './recordings';
import { textOf } from './settings';

/** What the dialog of `ami-event` says in the mode `calls`; what is empty or absent lets everything through. */
export interface CallEventsDef {
  readonly topics?: readonly string[];
  readonly directions?: readonly string[];
  readonly extensions?: string;
  readonly queues?: string;
  /** Id of a `crm-config`, whose table says which CRM user has an extension. */
  readonly crm?: string;
}

/**
 * Sends the life of calls from this node and shows how many there are. Throws a TelephonyError for a dialog that cannot
 * work.
 */
export function sendCalls(red: NodeAPI, node: Node, pbx: Pbx, def: CallEventsDef): void {
  const fits = callFilter({
    topics: def.topics ?? [],
    directions: def.directions ?? [],
    extensions: textOf(def.extensions),
    queues: textOf(def.queues),
  });
  const account = crmConfig(red, def.crm)?.account;
  let calls = pbx.calls.stats.liveCalls;
  const showState = (): void => {
    const link = linkStatus(pbx);
    const text = red._(`ami-event.status.${pbx.simulator ? 'simulator' : 'connected'}-calls`, { count: calls });
    node.status(link.fill === 'green' && calls > 0 ? { ...link, text } : link);
  };

  let end: EndListening | undefined;
  const callOff = whenFlowsStarted(red, () => {
    end = pbx.calls.subscribe((message) => {
      if (!fits(message)) return;
      const { topic, payload } = forFlow(message, (extension) => account?.userOf(extension));
      const file = 'recording' in payload ? payload.recording.file : undefined;
      const url = file === undefined ? undefined : recordingsOf(red, payload.pbx)?.link(file);
      node.send({ topic, payload: url === undefined ? payload : { ...payload, recording: { file, url } } });
    }, node.id);
  });
  const forget = [
    pbx.client.onState(showState),
    pbx.calls.onLiveCalls((count) => {
      calls = count;
      showState();
    }),
  ];
  showState();

  onClose(red, node, (removed) => {
    callOff();
    forget.forEach((one) => one());
    // Redeployed, it comes back in a moment and wants to know what happened meanwhile.
    end?.(!removed);
  });
}
