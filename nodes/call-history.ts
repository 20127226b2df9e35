import type { Node, NodeDef, NodeInitializer, NodeStatus } from 'node-red';
import { systemClock } from '../lib/clock';
import { TelephonyError, asError } from '../lib/errors';
import { readMessage } from '../lib/messages/parse';
import type { Pbx } from '../lib/pbx/pbx';
import { Keeper, RECORDS } from '../lib/store/keeper';
import { QueueKeeper } from '../lib/reports/keeper';
import { makeReport, reportCsv } from '../lib/reports/report';
import { isReportQuestion, reportQuery, usualReport, withoutReport } from '../lib/reports/request';
import type { UsualReport } from '../lib/reports/request';
import { isQueueTopic, queueFactOf } from '../lib/reports/facts';
import { callQuery, daysBack, usualQuery } from '../lib/store/query';
import type { CallQuery, Store } from '../lib/store/types';
import { failureFor, isAsked } from './runtime/asked';
import { Complaints } from './runtime/complaints';
import { amiConfig, storeConfig } from './runtime/config-nodes';
import { nodeError } from './runtime/errors';
import { languageOf, wordsFor } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { linkStatus, NO_PBX_STATUS } from './runtime/link-status';
import { propertyOf, textOf } from './runtime/settings';
import { StatusLine } from './runtime/status';
import { storeStatus } from './runtime/store-status';

interface CallHistoryDef extends NodeDef {
  readonly store?: string;
  /** The PBX whose calls are kept, without a wire. */
  readonly pbx?: string;
  /** Where in the message the question stands, and where the answer goes. */
  readonly query?: string;
  readonly output?: string;
  /** What a question does not say. */
  readonly days?: string | number;
  readonly limit?: string | number;
  readonly sort?: string;
  readonly directions?: readonly string[];
  readonly results?: readonly string[];
  /** The same of reports. */
  readonly report?: string;
  readonly by?: string;
  readonly format?: string;
  readonly separator?: string;
  readonly timeZone?: string;
  readonly serviceSeconds?: string | number;
}

/** The answer to a question, and how many calls or rows it has. */
interface Answer {
  readonly payload: object | string;
  readonly count: string;
}

/** What a question does not say. */
interface Usual {
  readonly calls: (now: number) => Partial<CallQuery>;
  readonly report: UsualReport;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the dialog says of a question, at a moment. Throws `QUERY_BAD`. */
function usualOf({
  days,
  limit,
  sort,
  directions = [],
  results = [],
}: CallHistoryDef): (now: number) => Partial<CallQuery> {
  const chosen = (names: readonly string[]) => (names.length > 0 ? names : undefined);
  const usual = usualQuery({ limit, sort, directions: chosen(directions), results: chosen(results) });
  const back = daysBack(days);
  return (now) => (back === undefined ? usual : { from: now - back * DAY_MS, ...usual });
}

async function answerTo(question: unknown, store: Store, usual: Usual): Promise<Answer> {
  const now = systemClock.now();
  if (isReportQuestion(question, usual.report)) {
    const query = reportQuery(question, usual.report, now);
    const report = await makeReport(store, query, now);
    const isCsv = query.format === 'csv';
    return { payload: isCsv ? await reportCsv(report, query.separator) : report, count: String(report.rows.length) };
  }
  const page = await store.calls.find(callQuery(withoutReport(question), usual.calls(now)));
  return { payload: page, count: `${page.total}${page.totalIsMore ? '+' : ''}` };
}

const init: NodeInitializer = (red) => {
  /** Puts the calls of a PBX, and what becomes of its queues and agents, into the store while the node lives. */
  function keepCalls(node: Node, store: Store, pbx: Pbx): void {
    const complaints = new Complaints(node);
    const complain = (error: TelephonyError): void => complaints.warn(error.code, wordsFor(red, node, error));
    const records = new Keeper(store, RECORDS, complain);
    const facts = new QueueKeeper(store, complain);
    const ends = [
      pbx.calls.subscribe((message) => {
        if (message.topic === 'call_record') records.keep(message.payload);
      }, node.id),
      pbx.queues.subscribe((message) => facts.keep(message), node.id),
    ];
    pbx.open();
    onClose(red, node, async (removed) => {
      // Redeployed, it comes back in a moment and keeps what happened meanwhile.
      for (const end of ends) end(!removed);
      await Promise.all([records.close(), facts.close()]);
    });
  }

  red.nodes.registerType('call-history', function (this: Node, def: CallHistoryDef) {
    red.nodes.createNode(this, def);
    const config = storeConfig(red, def.store);
    const store = config?.store;
    const pbx = amiConfig(red, def.pbx)?.pbx;
    const status = new StatusLine(this);
    /** Or why the dialog cannot be used: an answer to another question than the one that was meant is none. */
    let usual: Usual | Error;
    try {
      usual = { calls: usualOf(def), report: usualReport({ ...def }) };
    } catch (thrown) {
      usual = asError(thrown);
      this.error(wordsFor(red, this, usual));
    }

    const showState = (): void => status.setBase(baseStatus());
    /** Without a store nothing works, so that is told first. */
    const baseStatus = (): NodeStatus => {
      const ofStore = storeStatus(config);
      if (usual instanceof Error) return { fill: 'red', shape: 'dot', text: 'call-history.status.settings' };
      if (!def.pbx || ofStore.fill !== 'green') return ofStore;
      const link = pbx ? linkStatus(pbx) : NO_PBX_STATUS;
      return link.fill === 'green' ? ofStore : link;
    };
    const forget = [store?.onState(showState), pbx?.client.onState(showState)];
    showState();
    if (store && pbx) keepCalls(this, store, pbx);

    onInput(red, this, async (msg, send) => {
      if (!store) {
        const problem = config?.problem;
        throw problem instanceof TelephonyError ? problem : nodeError('STORE_NOT_CHOSEN');
      }
      const { topic } = msg as { readonly topic?: unknown };
      if (topic === 'call_record') {
        await store.calls.put([readMessage('call_record', msg.payload).payload]);
        return;
      }
      if (isQueueTopic(topic)) {
        const fact = queueFactOf(readMessage(topic, msg.payload));
        if (fact) await store.queueFacts.put([fact]);
        return;
      }
      const question = propertyOf(red, msg, textOf(def.query) || 'payload');
      const reply = (value: object | string): void => {
        red.util.setMessageProperty(msg, textOf(def.output) || 'payload', value, true);
        send(msg);
      };
      let answer: Answer;
      try {
        if (usual instanceof Error) throw usual;
        answer = await answerTo(question, store, usual);
      } catch (thrown) {
        if (!isAsked(msg)) throw thrown;
        reply(failureFor(asError(thrown), languageOf(red, this.type)));
        return;
      }
      reply(answer.payload);
      status.show({ fill: 'green', shape: 'dot', text: red._('call-history.status.found', { count: answer.count }) });
    });
    onClose(red, this, () => {
      forget.forEach((end) => end?.());
      status.close();
    });
  });
};

export default init;
