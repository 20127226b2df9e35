import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { systemClock } from '../../lib/clock';
import { Calendar } from '../../lib/dialer/calendar';
import { obey, readCommand } from '../../lib/dialer/commands';
import { Dialer } from '../../lib/dialer/dialer';
import { orderError } from '../../lib/dialer/errors';
import { Fields, jsonCopy, MAX_KEY } from '../../lib/dialer/fields';
import type { DialerOptions } from '../../lib/dialer/options';
import { readOrder } from '../../lib/dialer/order';
import { refusedOutcome } from '../../lib/dialer/refused';
import { isOpen, nextClosing, nextOpening } from '../../lib/dialer/windows';
import { asError, TelephonyError } from '../../lib/errors';
import { timeZonesOf } from '../../lib/phone/time-zones';
import type { Store } from '../../lib/store/types';
import { Complaints } from './complaints';
import { crmConfig, storeConfig } from './config-nodes';
import { diallingOf } from './dial-lines';
import type { Dialling } from './dial-lines';
import { nodeError } from './errors';
import { languageOf, wordsFor } from './language';
import type { Send } from './lifecycle';
import { tellTaken } from './taken';
import { nodeLog } from './node-log';
import type { Orphans } from './orphans';
import { originateSettings } from './originate-settings';
import type { OriginateDef, OriginateSettings } from './originate-settings';

/** A message with who asked, if somebody did. */
type Asked = NodeMessageInFlow & { usercrm?: unknown };

type Told = Pick<DialerOptions, 'onProgress' | 'onOutcome' | 'onState'>;

/** One `originate` node at work: what its messages order goes to its dialler. */
export class OriginateOffice {
  readonly dialer: Dialer;
  readonly dialling: Dialling;
  private readonly settings: OriginateSettings;
  private readonly store: Store;
  private readonly calendar: Calendar;
  private readonly complaints: Complaints;

  /** Throws a TelephonyError that says what is wrong in the dialog. */
  constructor(
    private readonly red: NodeAPI,
    private readonly node: Node,
    private readonly def: OriginateDef,
    private readonly orphans: Orphans,
    told: Told,
  ) {
    this.settings = originateSettings(def);
    const stored = storeConfig(red, def.store);
    if (!stored?.store) throw stored?.problem ?? nodeError('STORE_NOT_CHOSEN');
    const { store } = stored;
    const chosen = def.via === 'finesse' ? { finesse: def.finesse ?? '' } : { pbx: def.pbx ?? '' };
    const dialling = diallingOf(red, chosen, { storeId: stored.id, store, play: this.settings.play });
    if (!dialling) throw nodeError('PBX_TO_DIAL_NOT_CHOSEN');
    const { name, line, guard, plan } = dialling;
    const openings = { isOpen, nextClosing, nextOpening };
    this.store = store;
    this.dialling = dialling;
    this.complaints = new Complaints(node);
    this.calendar = new Calendar(this.settings.dialer.windows, openings);
    this.dialer = new Dialer({
      ...told,
      ...{ line, guard, plan, openings },
      queue: node.id,
      mode: this.settings.order.mode,
      pbx: name,
      orders: store.orders,
      blocked: store.blocked,
      settings: this.settings.dialer,
      clock: systemClock,
      log: nodeLog(red, node),
      lang: languageOf(red, node.type),
    });
  }

  /** Tells of orders whose node was deleted; returns the function that ends it. */
  watchOrphans(): () => void {
    const { red, node, def, store } = this;
    return this.orphans.watch(node, store, [storeConfig(red, def.store)?.name, def.store].find(Boolean) ?? '');
  }

  /** An order is always answered by a message; a command that cannot be carried out rejects. */
  async take(msg: Asked, send: Send): Promise<void> {
    const { dialer, dialling, store } = this;
    const command = readCommand(msg.payload, dialling.plan);
    if (!command) {
      await this.order(msg, send);
      return;
    }
    const { orphans } = this;
    const payload = await obey(command, {
      dialer,
      blocked: store.blocked,
      now: systemClock.now(),
      orphans: { queues: () => orphans.queues(store), count: () => orphans.in(store) },
    });
    send([null, Object.assign(msg, { topic: 'orders', payload })]);
  }

  /** The first message about an order is the one that brought it, so that whoever asked is answered with it. */
  private async order(msg: Asked, send: Send): Promise<void> {
    const { payload } = msg;
    const { order: settings } = this.settings;
    const now = systemClock.now();
    try {
      // What is on disk already is answered with that, even while nothing else is known: which phones there are, for one.
      const key = new Fields(payload).text('key', MAX_KEY);
      const isRepeated =
        key !== undefined &&
        (await this.dialer.repeat(key, (first) => {
          send([null, Object.assign(msg, { topic: 'order_progress', payload: first })]);
        }));
      if (isRepeated) return;
      const account = crmConfig(this.red, this.def.crm)?.account;
      const order = await readOrder(payload, settings, {
        isKnown: async (extension) =>
          account?.users.some((user) => user.extension === extension) ? 'known' : this.dialling.knows(extension),
        plan: this.dialling.plan,
        now,
        timeZonesOf,
        usualEnd: (zones) => this.calendar.end(zones, now),
        extensionOf: (userId) => account?.extensionOf(userId),
        extensionsAt: this.dialling.whoIsAt,
      });
      const isForOutcome = new Fields(payload).text('answer', 20) === 'outcome' && msg.usercrm !== undefined;
      const reply = isForOutcome ? jsonCopy('msg.usercrm', msg.usercrm) : undefined;
      await this.dialer.place(order, reply, (first) => {
        // Whoever asks for an order of before learns at once that it is known: its outcome goes to who asked first.
        if (isForOutcome && first.isKnown === undefined) delete msg.usercrm;
        send([null, Object.assign(msg, { topic: 'order_progress', payload: first })]);
      });
    } catch (thrown) {
      const reason = asError(thrown).message.slice(0, 200);
      const error = thrown instanceof TelephonyError ? thrown : orderError('ORDER_FAULT', { reason }, thrown);
      this.complaints.warn(error.code, wordsFor(this.red, this.node, error));
      const where = { pbx: this.dialling.name, mode: settings.mode, now, lang: languageOf(this.red, this.node.type) };
      send([Object.assign(msg, { topic: 'order_outcome', payload: refusedOutcome(payload, where, error) }), null]);
    } finally {
      tellTaken(payload);
    }
  }
}
