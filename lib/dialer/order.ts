import { isIP } from 'node:net';
import { callerOf } from '../outbound/caller';
import { isEmergency } from '../outbound/emergency';
import { outboundError } from '../outbound/errors';
import { parseNumber } from '../phone';
import { describePhone } from '../phone/describe';
import type { NumberingPlan } from '../phone/types';
import { badOrder, orderError } from './errors';
import { Fields, MAX_KEY } from './fields';
import type {
  AutocallOrder,
  ClickOrder,
  Order,
  OrderCallerId,
  OrderMode,
  PlainOrder,
  PlainTarget,
  RetriedOutcome,
} from './types';

/** What the dialog of a node says of its orders; a message fills in the rest and wins where both speak. */
export interface OrderSettings {
  readonly mode: OrderMode;
  readonly tries: number;
  readonly periodMs: number;
  /** How long an order may wait; absent: what is usual for its mode. */
  readonly expiresMs?: number;
  readonly callerId?: OrderCallerId;
  readonly variables: Readonly<Record<string, string>>;
  /** Of autocalls. */
  readonly files: readonly string[];
  readonly language?: string;
  readonly prompt?: string;
  readonly detectMachine: boolean;
  /** Where clients of the PBX's country are whose number names no one place (IANA); absent: anywhere in it. */
  readonly timeZone?: string;
  readonly triesOf: Readonly<Partial<Record<RetriedOutcome, number>>>;
  /** Of plain orders. */
  readonly channel?: string;
  readonly to?: PlainTarget;
  readonly ringMs: number;
}

/** What reading an order asks of its surroundings. */
export interface OrderNeeds {
  /** Whether somebody has this extension: a phone or a hint of the PBX, or a person in the CRM's table. */
  readonly isKnown: (extension: string) => Promise<'known' | 'unknown' | 'not-yet'>;
  readonly plan: NumberingPlan;
  /** Wall-clock ms. */
  readonly now: number;
  /** IANA names of where a number may be. */
  readonly timeZonesOf: (e164: string) => readonly string[];
  /** Wall-clock ms of the end of the time in which an autocall may be made, when nobody says how long it is good for. */
  readonly usualEnd: (timeZones: readonly string[]) => number;
  /** Whose phone a CRM user has. */
  readonly extensionOf: (userId: string) => string | undefined;
  /** Which phones are registered from an address. */
  readonly extensionsAt: (ip: string) => Promise<readonly string[]>;
}

/** A click must be dialled while the person still waits for it. */
const CLICK_MS = 30_000;
const LONGEST_S = 30 * 24 * 60 * 60;
const USUAL_PRIORITY = 5;
const MAX_NUMBER = 128;

/**
 * Reads an order out of what came from outside. Rejects with a TelephonyError `ORDER_…`; whatever passes can be written into an
 * Originate as it stands. Whether it may be dialled is asked of the rules of the PBX, not here.
 */
export async function readOrder(payload: unknown, settings: OrderSettings, needs: OrderNeeds): Promise<Order> {
  const fields = new Fields(payload);
  switch (settings.mode) {
    case 'click':
      return readClick(fields, settings, needs);
    case 'autocall':
      return readAutocall(fields, settings, needs);
    case 'plain':
      return readPlain(fields, settings, needs);
  }
}

type Base = Omit<ClickOrder, 'mode' | 'extension' | 'number' | 'e164'>;

function readBase(fields: Fields, settings: OrderSettings, now: number, usualEnd: () => number): Base {
  const key = fields.text('key', MAX_KEY);
  const callerId = fields.callerId('callerId') ?? settings.callerId;
  const data = fields.json('data');
  const by = fields.text('by', 64);
  const seconds = fields.whole('expiresInSeconds', 1, LONGEST_S);
  const goodForMs = seconds === undefined ? settings.expiresMs : seconds * 1000;
  return {
    expiresAt: goodForMs === undefined ? usualEnd() : now + goodForMs,
    priority: fields.whole('priority', 0, 9) ?? USUAL_PRIORITY,
    tries: settings.tries,
    periodMs: settings.periodMs,
    variables: { ...settings.variables, ...fields.variables('variables') },
    ...(key === undefined ? {} : { key }),
    ...(callerId === undefined ? {} : { callerId }),
    ...(data === undefined ? {} : { data }),
    ...(by === undefined ? {} : { by: callerOf(by) }),
  };
}

async function readClick(fields: Fields, settings: OrderSettings, needs: OrderNeeds): Promise<ClickOrder> {
  const target = readNumber(fields, needs.plan);
  refuseEmergency(target, needs.plan);
  const base = readBase(fields, settings, needs.now, () => needs.now + CLICK_MS);
  const extension = await readExtension(fields, needs);
  for (const one of [extension, ...(isExtension(target, needs.plan) ? [target.number] : [])]) {
    const found = await needs.isKnown(one);
    if (found === 'unknown') throw orderError('ORDER_UNKNOWN_EXTENSION', { extension: one });
    if (found === 'not-yet') throw orderError('ORDER_EXTENSIONS_NOT_READ', { extension: one });
  }
  if (target.number === extension) {
    throw badOrder(`${extension} is to call itself.`, `${extension} должен позвонить сам себе.`);
  }
  // The cap per caller holds for whoever's phone it is, whatever name he gives himself.
  return { ...base, by: extension, mode: 'click', extension, ...target };
}

function readAutocall(fields: Fields, settings: OrderSettings, needs: OrderNeeds): AutocallOrder {
  const { number, e164 } = readNumber(fields, needs.plan);
  refuseEmergency({ number, ...(e164 === undefined ? {} : { e164 }) }, needs.plan);
  if (e164 === undefined) throw orderError('ORDER_BAD_NUMBER', { number });
  const zone = fields.timeZone('timeZone');
  const timeZones = zone === undefined ? zonesOf(e164, settings, needs) : [zone];
  const files = fields.files('files') ?? settings.files;
  if (files.length === 0) {
    throw badOrder(
      'it names no sound file: send payload.files.',
      'не указаны звуковые файлы: передайте payload.files.',
    );
  }
  const language = fields.language('language') ?? settings.language;
  const prompt = fields.file('prompt') ?? settings.prompt;
  return {
    ...readBase(fields, settings, needs.now, () => needs.usualEnd(timeZones)),
    mode: 'autocall',
    number,
    e164,
    files,
    detectMachine: fields.flag('detectMachine') ?? settings.detectMachine,
    triesOf: settings.triesOf,
    timeZones,
    ...(language === undefined ? {} : { language }),
    ...(prompt === undefined ? {} : { prompt }),
  };
}

/** What the number tells wins; a mobile number of Russia tells eleven zones, in all of which a day is never open for long. */
function zonesOf(e164: string, { timeZone }: OrderSettings, { plan, timeZonesOf }: OrderNeeds): readonly string[] {
  const zones = timeZonesOf(e164);
  const isAtHome = describePhone(e164)?.country === plan.country;
  return timeZone !== undefined && zones.length !== 1 && isAtHome ? [timeZone] : zones;
}

/** Which program runs on the channel is the dialog's alone: no message from outside may choose one. */
function readPlain(fields: Fields, settings: OrderSettings, needs: OrderNeeds): PlainOrder {
  const channel = fields.channel('channel') ?? settings.channel;
  if (channel === undefined) {
    throw badOrder('it names no channel: send payload.channel.', 'не указан канал: передайте payload.channel.');
  }
  const [context, exten] = [fields.context('context'), fields.exten('exten')];
  const usual = settings.to !== undefined && 'context' in settings.to ? settings.to : undefined;
  const isGiven = context !== undefined || exten !== undefined;
  const inContext = context ?? usual?.context;
  const to =
    isGiven && inContext !== undefined
      ? { context: inContext, exten: exten ?? usual?.exten ?? 's', priority: usual?.priority ?? 1 }
      : settings.to;
  if (to === undefined || (isGiven && inContext === undefined)) {
    throw badOrder(
      'it does not say where the channel goes: send payload.context and payload.exten.',
      'не указано, куда направить канал: передайте payload.context и payload.exten.',
    );
  }
  const base = readBase(fields, settings, needs.now, () => needs.now + CLICK_MS);
  return { ...base, mode: 'plain', channel, to, ringMs: settings.ringMs };
}

function readNumber(fields: Fields, plan: NumberingPlan): { readonly number: string; readonly e164?: string } {
  const text = fields.text('number', MAX_NUMBER) ?? '';
  const parsed = parseNumber(text, plan);
  switch (parsed.kind) {
    case 'phone':
      return { number: /^\+?[0-9][0-9 ()-]*$/.test(text) ? text : parsed.e164, e164: parsed.e164 };
    case 'extension':
      return { number: parsed.extension };
    case 'raw':
      return { number: parsed.digits };
    case 'none':
      throw orderError('ORDER_BAD_NUMBER', { number: text.slice(0, 40) });
  }
}

/** Said before anything else that is wrong with such a number, in the words of the rules for dialling. */
function refuseEmergency(
  { number, e164 }: { readonly number: string; readonly e164?: string },
  plan: NumberingPlan,
): void {
  if (e164 === undefined && isEmergency(number, plan.country)) throw outboundError('OUTBOUND_EMERGENCY', { number });
}

const isExtension = ({ number, e164 }: { readonly number: string; readonly e164?: string }, plan: NumberingPlan) =>
  e164 === undefined && plan.isExtension(number);

/** Whose phone rings first: said outright, or by the user of the CRM, or by where he sits. */
async function readExtension(fields: Fields, needs: OrderNeeds): Promise<string> {
  const extension = fields.text('extension', 32);
  const user = fields.text('user', 64);
  const ip = fields.address('ip');
  if (extension !== undefined) return known(extension, needs.plan);
  if (user !== undefined) {
    const found = needs.extensionOf(user);
    if (found === undefined) {
      throw orderError('ORDER_NO_EXTENSION', { whoEn: `the CRM user "${user}"`, whoRu: `пользователя CRM «${user}»` });
    }
    return known(found, needs.plan);
  }
  if (ip === undefined) {
    throw badOrder(
      'it does not say whose phone is to ring first: send payload.extension or payload.user.',
      'не указано, чей телефон звонит первым: передайте payload.extension или payload.user.',
    );
  }
  const [found, ...others] = await needs.extensionsAt(ip);
  const who = { whoEn: `the address ${ip}`, whoRu: `адреса ${ip}` };
  if (found === undefined) throw orderError('ORDER_NO_EXTENSION', who);
  if (others.length > 0) {
    throw orderError('ORDER_AMBIGUOUS', { ip, extensions: [found, ...others].slice(0, 5).join(', ') });
  }
  return known(found, needs.plan);
}

/** The first leg is dialled as an extension: what is none would be a way out past the rules for numbers. */
function known(extension: string, plan: NumberingPlan): string {
  if (/^[0-9]+$/.test(extension) && plan.isExtension(extension)) return extension;
  throw badOrder(
    `"${extension}" is no extension of this PBX by its numbering plan.`,
    `«${extension}» — не внутренний номер этой АТС по её плану нумерации.`,
  );
}

/**
 * Every number that carrying out an order would dial, for the rules of the PBX. Of a plain order these are the parts of its channel and
 * its destination that consist of what can be dialled: `DAHDI/g1/89031234567`, `Local/*72@office`.
 */
export function dialledNumbers(
  order: Order,
  plan: NumberingPlan,
): readonly { readonly number: string; readonly e164?: string }[] {
  if (order.mode !== 'plain') {
    const target = { number: order.number, ...(order.e164 === undefined ? {} : { e164: order.e164 }) };
    // A phone's channel may lead through the dialplan (`Local/{extension}@…`).
    return order.mode === 'click' ? [{ number: order.extension }, target] : [target];
  }
  const parts = order.channel.split(/[/@:]/).slice(1);
  if ('exten' in order.to) parts.push(order.to.exten);
  return (
    parts
      .filter((part) => isIP(part) === 0)
      // What trunks leave out of a number, and pauses: 8.809…, ww8809….
      .map((part) => part.replace(/[._wWpP-]/g, ''))
      .filter((part) => /^[0-9+]+$/.test(part) || /[*#]/.test(part))
      .map((number) => {
        const parsed = parseNumber(number, plan);
        return parsed.kind === 'phone' ? { number, e164: parsed.e164 } : { number };
      })
  );
}
