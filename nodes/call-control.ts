import type { Node, NodeInitializer, NodeMessageInFlow, NodeStatus } from 'node-red';
import { asError } from '../lib/errors';
import { pbxError } from '../lib/pbx/errors';
import { failureFor, isAsked } from './runtime/asked';
import { amiConfig, crmConfig } from './runtime/config-nodes';
import { orderOf, type CallControlDef } from './runtime/control-order';
import { takeControls, type Controls } from './runtime/controls';
import { languageOf } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { linkStatus, NO_PBX_STATUS } from './runtime/link-status';
import { propertyOf, textOf } from './runtime/settings';
import { StatusLine } from './runtime/status';

const FAILED: NodeStatus = { fill: 'yellow', shape: 'ring', text: 'call-control.status.failed' };

const init: NodeInitializer = (red) => {
  red.nodes.registerType('call-control', function (this: Node, def: CallControlDef) {
    red.nodes.createNode(this, def);
    const pbx = amiConfig(red, def.pbx)?.pbx;
    const account = crmConfig(red, def.crm)?.account;
    const status = new StatusLine(this);
    let controls: Controls | undefined;
    let forget: (() => void) | undefined;
    // What stands in the dialog, an admin wrote; ring groups and menus have no phone that the PBX could tell of.
    const isNamed = (extension: string): boolean =>
      textOf(def.to) === extension || account?.users.some((user) => user.extension === extension) === true;
    if (pbx) {
      controls = takeControls(pbx);
      status.setBase(linkStatus(pbx));
      forget = pbx.client.onState((state) => status.setBase(linkStatus(pbx, state)));
      pbx.open();
    } else {
      status.setBase(NO_PBX_STATUS);
    }

    const carryOut = async (msg: NodeMessageInFlow): Promise<object> => {
      if (!pbx || !controls) throw pbxError('PBX_NOT_CHOSEN');
      if (pbx.problem) throw pbx.problem;
      const payload = propertyOf(red, msg, textOf(def.order) || 'payload');
      const order = await orderOf(def, payload, pbx, account, (msg as { readonly variables?: unknown }).variables);
      const done =
        'call' in order
          ? await controls.calls.run(order, isNamed)
          : 'extension' in order
            ? await controls.agents.run(order)
            : await controls.agents.status(order);
      const text = red._('call-control.status.done', { action: done.action });
      status.show({ fill: 'green', shape: 'dot', text });
      return { ok: true, ...done };
    };

    onInput(red, this, async (msg, send) => {
      let answer: object;
      try {
        answer = await carryOut(msg);
      } catch (thrown) {
        status.show(FAILED);
        // Somebody outside asked: the flow goes on, so that he is told.
        if (!isAsked(msg)) throw thrown;
        answer = failureFor(asError(thrown), languageOf(red, this.type));
      }
      red.util.setMessageProperty(msg, textOf(def.output) || 'payload', answer, true);
      send(msg);
    });
    onClose(red, this, async () => {
      forget?.();
      status.close();
      await controls?.release();
    });
  });
};

export default init;
