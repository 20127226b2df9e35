import type { Node, NodeInitializer } from 'node-red';
import { systemClock } from '../lib/clock';
import type { CrmAccount } from '../lib/crm/account';
import { Outbox } from '../lib/delivery/outbox';
import { runningIn } from '../lib/delivery/running';
import { asError, TelephonyError } from '../lib/errors';
import type { Lang } from '../lib/errors';
import { isDeliverableTopic, orderKeyOf, readMessage } from '../lib/messages/parse';
import type { Store } from '../lib/store/types';
import { adminAction } from './runtime/admin';
import { Complaints } from './runtime/complaints';
import { crmConfig, storeConfig } from './runtime/config-nodes';
import { deliveryStatus } from './runtime/delivery-status';
import { nodeError } from './runtime/errors';
import { languageOf, wordsFor } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { nodeLog } from './runtime/node-log';
import { Orphans } from './runtime/orphans';
import { recordingsOf } from './runtime/recordings';
import { StatusLine } from './runtime/status';
import { storeStatus } from './runtime/store-status';
import { chosenTopics, giveUpMs, readOrder } from './runtime/webhook-settings';
import type { OutboxOrder, WebhookDef } from './runtime/webhook-settings';

/** Facts about a call that a delivery needs later are kept so long: longer than anything waits. */
const KEEP_MEMO_MS = 400 * 24 * 60 * 60 * 1000;
const LISTED = 100;

interface Running {
  readonly outbox: Outbox;
  readonly store: Store;
}

const init: NodeInitializer = (red) => {
  /** Of the nodes that run, by their ids: what their dialogs and messages order. */
  const outboxes = new Map<string, Running>();
  const orphans = new Orphans(red, {
    queues: (store) => store.outbox.queues(),
    count: async (store, queue) => {
      const { waiting, dead } = await store.outbox.count(queue);
      return waiting + dead;
    },
    warning: (count, store) => nodeError('WEBHOOK_ORPHANS', { count, store }),
  });

  /** `account`: or why there is none, or why it cannot deliver. */
  function openOutbox(
    node: Node,
    def: WebhookDef,
    account: CrmAccount | TelephonyError,
    store: Store,
    status: StatusLine,
  ): Outbox {
    const settings = def.settings ?? {};
    const complaints = new Complaints(node);
    const words = (error: TelephonyError): string => error.textIn(languageOf(red, node.type));
    return new Outbox({
      queue: node.id,
      table: store.outbox,
      clock: systemClock,
      log: nodeLog(red, node),
      ...(account instanceof TelephonyError
        ? { giveUpMs: Infinity, blocked: account }
        : { giveUpMs: giveUpMs(def.giveUpDays) }),
      deliver: (event, attempt, ageMs) => {
        if (account instanceof TelephonyError) return Promise.reject(account);
        const key = orderKeyOf(event);
        const scope = `${def.crm ?? ''} ${key}`;
        const recordings = recordingsOf(red, event.payload.pbx);
        return account.deliver(event, {
          settings,
          attempt,
          ageMs,
          memo: {
            get: (name) => store.memos.get(scope, name),
            set: (name, value) => store.memos.set(scope, name, value, KEEP_MEMO_MS),
          },
          ...(recordings === undefined ? {} : { recordings }),
        });
      },
      onDelivered: ({ topic, payload }, { status: what, ...crm }) => {
        const { answer, variables } = crm as { answer?: unknown; variables?: Readonly<Record<string, string>> };
        node.send([
          { topic, payload, crm: { status: what, answer }, ...(variables ? { variables } : {}) },
          null,
        ] as never);
      },
      onGivenUp: ({ topic, payload }, error) => {
        complaints.warn(error.code, words(error));
        node.send([null, { topic, payload, error: { code: error.code, message: words(error) } }] as never);
      },
      onState: (state) => {
        if (state.problem) complaints.warn(state.problem.code, words(state.problem));
        status.setBase(deliveryStatus(red, state, systemClock.now()));
      },
    });
  }

  /** Carries out an order; errors are told in the language of whoever ordered. */
  async function obey({ outbox, store }: Running, order: OutboxOrder, lang: Lang): Promise<object> {
    switch (order.command) {
      case 'status': {
        const { problem, ...state } = outbox.current;
        return {
          ...state,
          ...(problem === undefined ? {} : { error: { code: problem.code, message: problem.textIn(lang) } }),
          ...(await orphans.in(store)),
        };
      }
      case 'list':
        return {
          dead: (await outbox.dead(LISTED)).map(({ id, eventId, body, attempts, diedAt, lastError }) => {
            const { topic, payload } = JSON.parse(body) as { topic: string; payload: unknown };
            const error = lastError && { code: lastError.code, message: lastError.text[lang], at: lastError.at };
            return { id, eventId, topic, payload, attempts, diedAt, error };
          }),
          ...(await orphans.in(store)),
        };
      case 'retry':
        return { count: await outbox.retry(order.ids) };
      case 'drop':
        return { count: await outbox.drop(order.ids) };
      case 'adopt': {
        // A try that a deleted node began may go on for a while.
        const queues = (await orphans.queues(store)).filter((queue) => runningIn(queue).size === 0);
        return { count: await outbox.adopt(queues) };
      }
    }
  }

  red.nodes.registerType('crm-webhook-out', function (this: Node, def: WebhookDef) {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    const [crm, stored] = [crmConfig(red, def.crm), storeConfig(red, def.store)];
    const { account } = crm ?? {};
    const { store } = stored ?? {};
    const topics = chosenTopics(def.topics, account?.topics, account?.usualTopics);
    let running: Running | undefined;
    let ignoreOrphans = (): void => undefined;
    let problem: TelephonyError | undefined;
    try {
      if (!account) throw crm?.problem ?? nodeError('CRM_NOT_CHOSEN');
      if (topics.size === 0) throw nodeError('WEBHOOK_NO_TOPICS');
      giveUpMs(def.giveUpDays);
      account.checkDelivery(def.settings ?? {});
      if (!store) throw stored?.problem ?? nodeError('STORE_NOT_CHOSEN');
    } catch (thrown) {
      problem =
        thrown instanceof TelephonyError ? thrown : nodeError('CRM_UNUSABLE', { reason: asError(thrown).message });
      this.error(wordsFor(red, this, problem));
    }
    status.setBase(storeStatus(stored));
    // With a store nothing need be lost: what comes now is delivered after the settings have been put right.
    const usable = problem ?? account;
    if (store && usable) {
      running = { outbox: openOutbox(this, def, usable, store, status), store };
      outboxes.set(this.id, running);
      running.outbox.start();
      ignoreOrphans = orphans.watch(this, store, [stored?.name, def.store].find(Boolean) ?? '');
    }

    onInput(red, this, async (msg, send) => {
      if (!running) throw problem ?? nodeError('STORE_NOT_CHOSEN');
      const { topic, payload } = msg as { readonly topic?: unknown; payload?: unknown };
      if (topic === 'outbox') {
        msg.payload = await obey(running, readOrder(payload), languageOf(red, this.type));
        send([msg, null]);
        return;
      }
      // What this CRM is not to be told of passes in silence: the flow need not sort it out.
      if (topic === 'gap' || (isDeliverableTopic(topic) && !topics.has(topic))) return;
      await running.outbox.accept(readMessage(topic, payload));
    });
    onClose(red, this, async () => {
      status.close();
      ignoreOrphans();
      if (running && outboxes.get(this.id) === running) outboxes.delete(this.id);
      await running?.outbox.close();
    });
  });

  adminAction(red, '/telephony-crm/crm-webhook-out/:id/outbox', 'crm-webhook-out.write', ({ id, body }) => {
    const running = outboxes.get(id);
    if (!running) throw nodeError('WEBHOOK_NOT_DEPLOYED');
    return obey(running, readOrder(body.order), body.lang);
  });
};

export default init;
