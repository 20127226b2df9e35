import type { Node, NodeDef, NodeInitializer } from 'node-red';
import { asError } from '../lib/errors';
import { eventFilter } from '../lib/pbx/event-filter';
import type { FilterRule } from '../lib/pbx/event-filter';
import type { Pbx } from '../lib/pbx/pbx';
import { sendCalls } from './runtime/call-events';
import type { CallEventsDef } from './runtime/call-events';
import { amiConfig } from './runtime/config-nodes';
import { forPeople } from './runtime/language';
import { onClose } from './runtime/lifecycle';
import { linkStatus, NO_PBX_STATUS } from './runtime/link-status';

interface AmiEventDef extends NodeDef, CallEventsDef {
  readonly pbx?: string;
  /** `raw` (or absent) = AMI events as they come; `calls` = the life of calls. */
  readonly mode?: 'raw' | 'calls';
  readonly events?: string;
  readonly filters?: readonly FilterRule[];
}

const init: NodeInitializer = (red) => {
  function sendRaw(node: Node, pbx: Pbx, def: AmiEventDef): void {
    const filter = eventFilter(def.events ?? '*', def.filters ?? []);
    const forget = [
      pbx.client.subscribe(filter.names, (event) => {
        if (!filter.fits(event)) return;
        // A plain object: Function nodes ask it for hasOwnProperty and the like.
        node.send({ topic: event.name, payload: { ...event.toObject() }, pbx: pbx.name });
      }),
      pbx.client.onState((state) => node.status(linkStatus(pbx, state))),
    ];
    // The emitter outlives this node: a partial deploy leaves the config node as it is.
    onClose(red, node, () => forget.forEach((end) => end()));
    node.status(linkStatus(pbx));
  }

  function AmiEvent(this: Node, def: AmiEventDef): void {
    red.nodes.createNode(this, def);
    const pbx = amiConfig(red, def.pbx)?.pbx;
    if (!pbx) {
      this.status(NO_PBX_STATUS);
      this.warn(red._('ami-event.log.no-pbx'));
      return;
    }
    try {
      if (def.mode === 'calls') sendCalls(red, this, pbx, def);
      else sendRaw(this, pbx, def);
      pbx.open();
    } catch (thrown) {
      this.status({ fill: 'red', shape: 'dot', text: 'ami-event.status.settings' });
      this.error(forPeople(red, this.type, asError(thrown)));
    }
  }
  red.nodes.registerType('ami-event', AmiEvent);
};

export default init;
