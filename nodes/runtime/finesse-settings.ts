import type { NodeAPI, NodeDef } from 'node-red';
import type { ClickOrder } from '../../lib/dialer/types';
import type { TelephonyError, Text } from '../../lib/errors';
import { badSettings } from '../../lib/finesse/errors';
import type { FinesseAgent } from '../../lib/finesse/types';
import { channelFor } from '../../lib/outbound/channels';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import { isNumberPattern } from '../../lib/outbound/patterns';
import type { DialAs, DialSettings } from '../../lib/outbound/types';
import { numberingPlan, parseNumber } from '../../lib/phone';
import type { NumberingPlan } from '../../lib/phone/types';
import { variableIn } from '../../lib/variables';
import { textOf } from './settings';
import { tlsMaterial } from './tls';

/** The dialog of `finesse-config` as it is saved; whatever a person or an old flow left out is absent. */
export interface FinesseConfigDef extends NodeDef {
  readonly address?: string;
  /** Id of a `tls-config` node. */
  readonly tls?: string;
  /** `extension`, `login`, and `slot`: the place of the password among the credentials. */
  readonly agents?: readonly Readonly<Record<string, unknown>>[];
  readonly country?: string;
  readonly extensions?: string;
  readonly dialAs?: string;
  /** Dialled before a number of the outside world, for the outside line. */
  readonly prefix?: string;
  /** Patterns on E.164 with commas. */
  readonly allow?: string;
  readonly deny?: string;
  readonly perMinute?: string | number;
  readonly perCaller?: string | number;
}

/** As many agents as one finesse-config can have. The dialog knows the same number. */
const MAX_AGENTS = 200;

/** Names of the credentials: one password each, so that one can be changed without typing the others again. */
export const passwordSlots: readonly string[] = Array.from(
  { length: MAX_AGENTS },
  (_, index) => `password${index + 1}`,
);

type Passwords = Readonly<Record<string, string | undefined>>;

/** What a `finesse-config` is made of. */
export interface FinesseSettings {
  readonly name: string;
  readonly address: string;
  readonly ca?: string;
  readonly agents: readonly FinesseAgent[];
  /** Of the lines of the table that cannot be used: the other agents can call all the same. */
  readonly problems: readonly TelephonyError[];
  readonly plan: NumberingPlan;
  readonly rules: Pick<DialSettings, 'allow' | 'deny' | 'perMinute' | 'perCaller'>;
  readonly addressOf: (order: ClickOrder) => string;
}

function noVariable(name: string, label: Text, value: string): string {
  const variable = variableIn(value);
  if (variable === undefined) return value;
  throw badSettings(name, {
    en: `${label.en}: the environment variable ${variable} is not set.`,
    ru: `${label.ru}: переменная окружения ${variable} не задана.`,
  });
}

/** One line of the table. Throws `FINESSE_BAD_SETTINGS` without ever naming the password. */
export function agentOf(name: string, row: Readonly<Record<string, unknown>>, passwords: Passwords): FinesseAgent {
  const label = { en: 'Agents', ru: 'Агенты' };
  const extension = noVariable(name, label, textOf(row.extension));
  const login = noVariable(name, label, textOf(row.login));
  // Not trimmed: a blank may belong to it.
  const password = noVariable(name, label, passwords[`password${textOf(row.slot)}`] ?? '');
  const problem = agentProblem(extension, login, password);
  if (problem !== undefined) {
    throw badSettings(name, { en: `${label.en}: ${problem.en}`, ru: `${label.ru}: ${problem.ru}` });
  }
  return { extension, login, password };
}

function agentProblem(extension: string, login: string, password: string): Text | undefined {
  if (!/^\+?[0-9]{1,32}$/.test(extension)) {
    return {
      en: `"${extension.slice(0, 40)}" is no extension; digits only.`,
      ru: `«${extension.slice(0, 40)}» — не внутренний номер; нужны только цифры.`,
    };
  }
  // A colon would end the login in Basic authorization.
  if (!/^[^\s:\p{Cc}]{1,64}$/u.test(login)) {
    return {
      en: `the login of extension ${extension} is missing or cannot be used.`,
      ru: `логин агента с номером ${extension} не заполнен или не подходит.`,
    };
  }
  if (password !== '') return undefined;
  return {
    en: `the password of extension ${extension} is missing; passwords do not come along when a flow is imported.`,
    ru: `нет пароля агента с номером ${extension}; при импорте потока пароли не переносятся.`,
  };
}

function agentTable(name: string, rows: FinesseConfigDef['agents'], passwords: Passwords) {
  const agents = new Map<string, FinesseAgent>();
  const problems: TelephonyError[] = [];
  for (const row of rows ?? []) {
    try {
      const agent = agentOf(name, row, passwords);
      if (agents.has(agent.extension)) {
        throw badSettings(name, {
          en: `Agents: the extension ${agent.extension} stands in the table twice.`,
          ru: `Агенты: номер ${agent.extension} стоит в таблице дважды.`,
        });
      }
      agents.set(agent.extension, agent);
    } catch (thrown) {
      problems.push(thrown as TelephonyError);
    }
  }
  return { agents: [...agents.values()], problems };
}

function prefixOf(name: string, value: unknown): string {
  const prefix = noVariable(name, { en: 'Outside line', ru: 'Выход в город' }, textOf(value));
  if (/^[0-9]{0,8}$/.test(prefix)) return prefix;
  throw badSettings(name, {
    en: `Outside line: "${prefix.slice(0, 40)}" is no prefix; write digits or nothing.`,
    ru: `Выход в город: «${prefix.slice(0, 40)}» — не префикс; напишите цифры или ничего.`,
  });
}

const MAX_PATTERNS = 200;

function patterns(name: string, label: Text, value: unknown): string[] {
  const read = noVariable(name, label, textOf(value))
    .split(/[\s,;]+/)
    .filter((one) => one !== '');
  const wrong = read.find((one) => !isNumberPattern(one)) ?? read[MAX_PATTERNS];
  if (wrong === undefined) return read;
  throw badSettings(name, {
    en: `${label.en}: "${wrong.slice(0, 40)}" cannot be used; write at most ${MAX_PATTERNS} patterns like +7* or +74951234567 with commas.`,
    ru: `${label.ru}: «${wrong.slice(0, 40)}» не подходит; напишите через запятую до ${MAX_PATTERNS} шаблонов вида +7* или +74951234567.`,
  });
}

const MOST_A_MINUTE = 1000;

function cap(name: string, label: Text, value: unknown, usual: number): number {
  const read = noVariable(name, label, textOf(value));
  const number = read === '' ? usual : /^\d{1,4}$/.test(read) ? Number(read) : 0;
  if (number >= 1 && number <= MOST_A_MINUTE) return number;
  throw badSettings(name, {
    en: `${label.en}: "${read.slice(0, 40)}" is no number of calls a minute; write 1 to ${MOST_A_MINUTE}.`,
    ru: `${label.ru}: «${read.slice(0, 40)}» — не число звонков в минуту; напишите от 1 до ${MOST_A_MINUTE}.`,
  });
}

function rulesOf(name: string, def: FinesseConfigDef): FinesseSettings['rules'] {
  const { perMinute, perCaller } = DEFAULT_DIALLING;
  return {
    allow: patterns(name, { en: 'Allowed numbers', ru: 'Разрешённые номера' }, def.allow),
    deny: patterns(name, { en: 'Forbidden numbers', ru: 'Запрещённые номера' }, def.deny),
    perMinute: cap(name, { en: 'Calls a minute', ru: 'Звонков в минуту' }, def.perMinute, perMinute),
    perCaller: cap(name, { en: 'By one caller', ru: 'На одного' }, def.perCaller, perCaller),
  };
}

/** What CUCM wants to have dialled; '' for what is neither a number nor an extension. */
function addressFor(plan: NumberingPlan, dialAs: DialAs, prefix: string): FinesseSettings['addressOf'] {
  return (order) => {
    const exten = channelFor({ channels: [], context: '', dialAs }, plan, order)?.exten ?? '';
    const isInside = order.e164 === undefined && parseNumber(order.number, plan).kind === 'extension';
    return exten === '' || isInside ? exten : prefix + exten;
  };
}

const dialAsOf = (value: unknown): DialAs => (value === 'digits' || value === 'e164' ? value : 'dialled');

/** What the client is made of, apart from the table; for a button of the dialog too. Throws `FINESSE_BAD_SETTINGS`. */
export function serverOf(red: NodeAPI, def: Pick<FinesseConfigDef, 'name' | 'address' | 'tls'>) {
  const name = textOf(def.name) || 'Finesse';
  const address = noVariable(name, { en: 'Address', ru: 'Адрес' }, textOf(def.address)).replace(/\/$/, '');
  const { ca } = tlsMaterial(red, def.tls, (problem) =>
    badSettings(name, { en: `TLS: ${problem.en}`, ru: `TLS: ${problem.ru}` }),
  );
  return { name, address, ...(ca === undefined ? {} : { ca }) };
}

/** Reads what stands in the dialog, once. Throws `FINESSE_BAD_SETTINGS` or `PHONE_BAD_PLAN`, naming the field that is wrong. */
export function finesseSettings(red: NodeAPI, def: FinesseConfigDef, passwords: Passwords): FinesseSettings {
  const server = serverOf(red, def);
  const { name } = server;
  const plan = numberingPlan({
    country: noVariable(name, { en: 'Country', ru: 'Страна' }, textOf(def.country)) || 'RU',
    extensionPattern: noVariable(name, { en: 'Extensions', ru: 'Внутренние номера' }, textOf(def.extensions)),
  });
  return {
    ...server,
    ...agentTable(name, def.agents, passwords),
    plan,
    rules: rulesOf(name, def),
    addressOf: addressFor(plan, dialAsOf(def.dialAs), prefixOf(name, def.prefix)),
  };
}
