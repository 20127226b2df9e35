import type { Node, NodeInitializer, NodeStatus } from 'node-red';
import { systemClock } from '../lib/clock';
import type { DialerState } from '../lib/dialer/options';
import { asError } from '../lib/errors';
import { failureFor, isAsked } from './runtime/asked';
import { storeConfig } from './runtime/config-nodes';
import { dialerStatus, withoutOffice } from './runtime/dialer-status';
import { nodeError } from './runtime/errors';
import { whenFlowsStarted } from './runtime/flows-started';
import { languageOf, wordsFor } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { Orphans } from './runtime/orphans';
import { OriginateOffice } from './runtime/originate-office';
import type { OriginateDef } from './runtime/originate-settings';
import { StatusLine } from './runtime/status';
import { storeStatus } from './runtime/store-status';

const init: NodeInitializer = (red) => {
  const orphans = new Orphans(red, {
    queues: (store) => store.orders.queues(),
    count: async (store, queue) => {
      const { waiting, inAir } = await store.orders.count(queue);
      return waiting + inAir;
    },
    warning: (count, store) => nodeError('ORIGINATE_ORPHANS', { count, store }),
  });

  red.nodes.registerType('originate', function (this: Node, def: OriginateDef) {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    let state: DialerState = { waiting: 0, inAir: 0, isPaused: false };
    let office: OriginateOffice | undefined;
    let problem: Error = nodeError('PBX_TO_DIAL_NOT_CHOSEN');
    try {
      office = new OriginateOffice(red, this, def, orphans, {
        onProgress: (payload) => this.send([null, { topic: 'order_progress', payload }]),
        onOutcome: (payload, usercrm) => {
          const asked = usercrm === undefined ? {} : { usercrm };
          this.send([{ topic: 'order_outcome', payload, ...asked }, null]);
        },
        onState: (news) => {
          state = news;
          showState();
        },
      });
    } catch (thrown) {
      problem = asError(thrown);
      this.error(wordsFor(red, this, problem));
    }

    const showState = (): void => status.setBase(baseStatus());
    /** What keeps everything from being dialled is told first. */
    const baseStatus = (): NodeStatus => {
      const config = storeConfig(red, def.store);
      const ofStore = storeStatus(config);
      if (config?.store?.state.status !== 'open') return ofStore;
      const ofLink = office?.dialling.status() ?? withoutOffice(problem);
      if (ofLink.fill !== 'green') return ofLink;
      return dialerStatus(red, state, systemClock.now(), ofStore.fill === 'green' ? ofLink : ofStore);
    };
    const ends = [
      storeConfig(red, def.store)?.store?.onState(showState),
      office?.dialling.onStatus(showState),
      // Before, the nodes that are to hear of it may not be there yet.
      office?.watchOrphans(),
      office && whenFlowsStarted(red, () => office.dialer.start()),
    ];
    showState();
    office?.dialling.open();

    onInput(red, this, async (msg, send) => {
      try {
        if (!office) throw problem;
        await office.take(msg, send);
      } catch (thrown) {
        // Somebody outside asked: the flow goes on, so that he is told.
        if (!isAsked(msg)) throw thrown;
        const payload = failureFor(asError(thrown), languageOf(red, this.type));
        send([null, Object.assign(msg, { topic: 'orders', payload })]);
      }
    });
    onClose(red, this, async () => {
      for (const end of ends) end?.();
      status.close();
      await office?.dialer.close();
    });
  });
};

export default init;
