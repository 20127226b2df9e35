import { parseNumber } from '../phone';
import type { NumberingPlan } from '../phone/types';
import type { BlockedNumbers } from '../store/types';
import type { Dialer } from './dialer';
import { orderError } from './errors';
import { Fields, MAX_KEY } from './fields';

/** What a flow can ask of a dialler beside dialling. Orders are meant by their number or their key. */
export type DialerCommand =
  | { readonly command: 'status'; readonly which?: number | string }
  | { readonly command: 'cancel'; readonly which: number | string | typeof EVERYTHING | typeof ORPHANS }
  | { readonly command: 'pause' | 'resume' | 'adopt' }
  | { readonly command: 'block'; readonly numbers: readonly string[]; readonly reason?: string }
  | { readonly command: 'unblock'; readonly numbers: readonly string[] }
  | { readonly command: 'blocked'; readonly numbers?: readonly string[]; readonly after?: string };

const EVERYTHING = Symbol('all orders');
/** Of nodes that were deleted. */
const ORPHANS = Symbol('orders of nobody');
const MAX_ID = 2 ** 32 - 1;
const MAX_NUMBERS = 10_000;
const LISTED = 100;

const bad = (problemEn: string, problemRu: string): Error => orderError('ORDER_BAD_COMMAND', { problemEn, problemRu });

/** `undefined`: it is no command, but an order. Throws `ORDER_BAD_COMMAND`, `ORDER_BAD` or `ORDER_BAD_NUMBER`. */
export function readCommand(payload: unknown, plan: NumberingPlan): DialerCommand | undefined {
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  if (!isObject || !Object.hasOwn(payload, 'command')) return undefined;
  const fields = new Fields(payload);
  const command = fields.text('command', 20);
  const numbers = () => readNumbers((payload as { readonly numbers?: unknown }).numbers, plan);
  switch (command) {
    case 'pause':
    case 'resume':
    case 'adopt':
      return { command };
    case 'status': {
      const which = readWhich(fields);
      return which === undefined ? { command } : { command, which };
    }
    case 'cancel': {
      const selectors = [
        fields.flag('all') === true,
        fields.flag('orphans') === true,
        fields.has('orderId'),
        fields.has('key'),
      ];
      if (selectors.filter(Boolean).length > 1) {
        throw bad(
          'cancel takes one of orderId, key, all: true and orphans: true, not several.',
          'для cancel укажите что-то одно: orderId, key, all: true или orphans: true.',
        );
      }
      const named = fields.flag('all') === true ? EVERYTHING : readWhich(fields);
      const which = fields.flag('orphans') === true ? ORPHANS : named;
      if (which === undefined) {
        throw bad(
          'cancel needs orderId, key, all: true, or orphans: true.',
          'для cancel нужен orderId, key, all: true или orphans: true.',
        );
      }
      return { command, which };
    }
    case 'block': {
      const reason = fields.text('reason', 200);
      return { command, numbers: numbers(), ...(reason === undefined ? {} : { reason }) };
    }
    case 'unblock':
      return { command, numbers: numbers() };
    case 'blocked': {
      const after = fields.text('after', 40);
      const asked = fields.has('numbers') ? { numbers: numbers() } : {};
      return { command, ...asked, ...(after === undefined ? {} : { after }) };
    }
    default:
      throw bad(
        'send payload.command status, cancel, pause, resume, adopt, block, unblock or blocked.',
        'передайте payload.command: status, cancel, pause, resume, adopt, block, unblock или blocked.',
      );
  }
}

function readWhich(fields: Fields): number | string | undefined {
  return fields.whole('orderId', 1, MAX_ID) ?? fields.text('key', MAX_KEY);
}

/** As E.164. */
function readNumbers(given: unknown, plan: NumberingPlan): readonly string[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  if (list.length > MAX_NUMBERS) {
    throw bad(
      `payload.numbers may have ${MAX_NUMBERS} numbers.`,
      `payload.numbers — не больше ${MAX_NUMBERS} номеров.`,
    );
  }
  return list.map((one) => {
    const text = typeof one === 'string' || typeof one === 'number' ? String(one) : '';
    const parsed = parseNumber(text, plan);
    if (parsed.kind !== 'phone') throw orderError('ORDER_BAD_NUMBER', { number: text.slice(0, 40) });
    return parsed.e164;
  });
}

/** What commands are carried out on. */
interface Commanded {
  readonly dialer: Dialer;
  readonly blocked: BlockedNumbers;
  readonly now: number;
  readonly orphans: {
    /** The queues of nodes that are gone. */
    queues(): Promise<readonly string[]>;
    /** For an answer: how many orders they hold; nothing when there are none. */
    count(): Promise<object>;
  };
}

/** Carries a command out; what a flow hears of it. Rejects with a TelephonyError. */
export async function obey(command: DialerCommand, on: Commanded): Promise<object> {
  const { dialer, blocked, now, orphans } = on;
  const { command: name } = command;
  switch (command.command) {
    case 'status': {
      const { which } = command;
      if (which === undefined) return { command: name, ...(await dialer.counts()), ...(await orphans.count()) };
      const order = await dialer.status(which);
      return order ? { command: name, found: true, ...order } : { command: name, found: false, ...meant(which) };
    }
    case 'cancel': {
      const { which } = command;
      if (which === EVERYTHING) return { command: name, cancelled: await dialer.cancelAll() };
      if (which === ORPHANS) return { command: name, cancelled: await dialer.cancelOf(await orphans.queues()) };
      const id = typeof which === 'number' ? which : (await dialer.status(which))?.orderId;
      const isCancelled = id !== undefined && (await dialer.cancel(id));
      return { command: name, cancelled: isCancelled ? 1 : 0, ...meant(which) };
    }
    case 'pause':
    case 'resume':
      await dialer.setPaused(command.command === 'pause');
      return { command: name, ...(await dialer.counts()) };
    case 'adopt':
      return {
        command: name,
        adopted: await dialer.adopt(await orphans.queues()),
        ...(await dialer.counts()),
        ...(await orphans.count()),
      };
    case 'block':
      return {
        command: name,
        changed: await blocked.add(command.numbers, now, command.reason),
        count: await blocked.count(),
      };
    case 'unblock':
      return { command: name, changed: await blocked.remove(command.numbers), count: await blocked.count() };
    case 'blocked': {
      const count = await blocked.count();
      if (command.numbers) return { command: name, count, numbers: [...(await blocked.among(command.numbers))] };
      const numbers = await blocked.list(LISTED, command.after);
      const last = numbers.length === LISTED ? numbers.at(-1)?.number : undefined;
      return { command: name, count, numbers, ...(last === undefined ? {} : { after: last }) };
    }
  }
}

const meant = (which: number | string): object => (typeof which === 'number' ? { orderId: which } : { key: which });
