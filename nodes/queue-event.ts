import type { Node, NodeDef, NodeInitializer } from 'node-red';
import { asError } from '../lib/errors';
import { line24Variables } from '../lib/messages/line24';
import type { EndListening } from '../lib/pbx/call-listeners';
import type { Pbx } from '../lib/pbx/pbx';
import { queueFilter, queueForFlow } from '../lib/pbx/queue-filter';
import { amiConfig, crmConfig } from './runtime/config-nodes';
import { whenFlowsStarted } from './runtime/flows-started';
import { forPeople } from './runtime/language';
import { onClose } from './runtime/lifecycle';
import { linkStatus, NO_PBX_STATUS } from './runtime/link-status';
import { textOf } from './runtime/settings';

/** What is empty or absent lets everything through. */
interface QueueEventDef extends NodeDef {
  readonly pbx?: string;
  readonly topics?: readonly string[];
  readonly queues?: string;
  readonly agents?: string;
  /** Id of a `crm-config`, whose table says which CRM user an agent is. */
  readonly crm?: string;
  /** Put the %variables% of «Линия24» into `msg.variables`. */
  readonly line24?: boolean;
}

const init: NodeInitializer = (red) => {
  function send(node: Node, pbx: Pbx, def: QueueEventDef): void {
    const { topics = [], line24 = false } = def;
    const fits = queueFilter({ topics, queues: textOf(def.queues), agents: textOf(def.agents) });
    const account = crmConfig(red, def.crm)?.account;
    let end: EndListening | undefined;
    const callOff = whenFlowsStarted(red, () => {
      end = pbx.queues.subscribe((message) => {
        if (!fits(message)) return;
        const own = queueForFlow(message, (extension) => account?.userOf(extension));
        const variables = line24 ? { variables: line24Variables(own) } : {};
        node.send({ ...own, ...variables });
      }, node.id);
    });
    const forget = pbx.client.onState((state) => node.status(linkStatus(pbx, state)));
    onClose(red, node, (removed) => {
      callOff();
      forget();
      // Redeployed, it comes back in a moment and wants to know what happened meanwhile.
      end?.(!removed);
    });
    node.status(linkStatus(pbx));
  }

  function QueueEvent(this: Node, def: QueueEventDef): void {
    red.nodes.createNode(this, def);
    const pbx = amiConfig(red, def.pbx)?.pbx;
    if (!pbx) {
      this.status(NO_PBX_STATUS);
      this.warn(red._('queue-event.log.no-pbx'));
      return;
    }
    try {
      send(this, pbx, def);
      pbx.open();
    } catch (thrown) {
      this.status({ fill: 'red', shape: 'dot', text: 'queue-event.status.settings' });
      this.error(forPeople(red, this.type, asError(thrown)));
    }
  }
  red.nodes.registerType('queue-event', QueueEvent);
};

export default init;
