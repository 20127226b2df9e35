import type { Node, NodeInitializer } from 'node-red';
import { systemClock } from '../lib/clock';
import { asError } from '../lib/errors';
import { shareStore } from '../lib/store';
import type { Store } from '../lib/store/types';
import { adminAction } from './runtime/admin';
import { storeConfig } from './runtime/config-nodes';
import type { StoreConfigNode } from './runtime/config-nodes';
import { nodeError } from './runtime/errors';
import { forPeople } from './runtime/language';
import { onCloseAfterOthers } from './runtime/lifecycle';
import { nodeLog } from './runtime/node-log';
import { storeOptions } from './runtime/store-settings';
import type { StoreConfigDef } from './runtime/store-settings';

const init: NodeInitializer = (red) => {
  red.nodes.registerType('store-config', function (this: Node, def: StoreConfigDef) {
    red.nodes.createNode(this, def);
    const offered = this as { -readonly [Key in 'store' | 'problem']?: StoreConfigNode[Key] };
    try {
      const options = storeOptions(red, def);
      const share = shareStore({ ...options, clock: systemClock, log: nodeLog(red, this) });
      if (share.hasOtherSettings) this.warn(red._('store-config.log.shared', { file: options.file }));
      offered.store = share.store;
      // Others put their last words into it while they close.
      onCloseAfterOthers(red, this, () => share.release());
    } catch (thrown) {
      // The node lives on, so that the nodes that use it can say what is wrong.
      offered.problem = asError(thrown);
      this.error(forPeople(red, this.type, offered.problem).message);
    }
  });

  /** The running store of the node whose dialog is open. */
  function storeOf(id: string): Store {
    const config = storeConfig(red, id);
    if (!config) throw nodeError('STORE_NOT_DEPLOYED');
    if (!config.store) throw config.problem ?? nodeError('STORE_NOT_DEPLOYED');
    return config.store;
  }
  adminAction(red, '/telephony-crm/store-config/:id/state', 'store-config.read', async ({ id, body }) => {
    const store = storeOf(id);
    const { state } = store;
    if (state.status === 'failed') throw state.error;
    const note = state.status === 'open' ? state.note?.textIn(body.lang) : undefined;
    return { ...(await store.stats()), ...(note === undefined ? {} : { note }) };
  });
  adminAction(red, '/telephony-crm/store-config/:id/backup', 'store-config.write', async ({ id }) => ({
    file: await storeOf(id).backup(),
  }));
};

export default init;
