import type { NodeAPI, NodeDef } from 'node-red';
import type { ClickOrder } from '../../lib/dialer/types';
import type { TelephonyError, Text } from '../../lib/errors';
import { badSettings } from '../../lib/finesse/errors';
import type { FinesseAgent } from '../../lib/finesse/types';
import { channelFor } from '../../lib/outbound/channels';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import type { DialAs } from '../../lib/outbound/types';
import { parseNumber } from '../../lib/phone';
import type { NumberingPlan } from '../../lib/phone/types';
import { DIAL_FORMS, dialRules, type DialRules } from './dial-rules';
import { FieldReader } from './field-reader';
import { numberingOf } from './numbering';
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
  readonly rules: DialRules;
  readonly addressOf: (order: ClickOrder) => string;
}

const AGENTS = { en: 'Agents', ru: 'Операторы' };

/** One line of the table. Throws `FINESSE_BAD_SETTINGS` without ever naming the password. */
export function agentOf(name: string, row: Readonly<Record<string, unknown>>, passwords: Passwords): FinesseAgent {
  const fields = new FieldReader(name, badSettings);
  const extension = fields.text(AGENTS, row.extension);
  const login = fields.text(AGENTS, row.login);
  // Not trimmed: a blank may belong to it.
  const password = fields.line(AGENTS, passwords[`password${textOf(row.slot)}`] ?? '');
  const problem = agentProblem(extension, login, password);
  if (problem !== undefined) throw fields.wrong(AGENTS, problem);
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
      ru: `логин оператора с номером ${extension} не заполнен или не подходит.`,
    };
  }
  if (password !== '') return undefined;
  return {
    en: `the password of extension ${extension} is missing; passwords do not come along when a flow is imported.`,
    ru: `нет пароля оператора с номером ${extension}; при импорте потока пароли не переносятся.`,
  };
}

function agentTable(name: string, rows: FinesseConfigDef['agents'], passwords: Passwords) {
  const fields = new FieldReader(name, badSettings);
  const agents = new Map<string, FinesseAgent>();
  const problems: TelephonyError[] = [];
  for (const row of rows ?? []) {
    try {
      const agent = agentOf(name, row, passwords);
      if (agents.has(agent.extension)) {
        throw fields.wrong(AGENTS, {
          en: `the extension ${agent.extension} stands in the table twice.`,
          ru: `номер ${agent.extension} стоит в таблице дважды.`,
        });
      }
      agents.set(agent.extension, agent);
    } catch (thrown) {
      problems.push(thrown as TelephonyError);
    }
  }
  return { agents: [...agents.values()], problems };
}

function prefixOf(fields: FieldReader, value: unknown): string {
  const label = { en: 'Outside line', ru: 'Выход в город' };
  const prefix = fields.text(label, value);
  if (/^[0-9]{0,8}$/.test(prefix)) return prefix;
  throw fields.unusable(label, prefix, { en: 'write digits or nothing.', ru: 'напишите цифры или ничего.' });
}

/** What CUCM wants to have dialled; '' for what is neither a number nor an extension. */
function addressFor(plan: NumberingPlan, dialAs: DialAs, prefix: string): FinesseSettings['addressOf'] {
  return (order) => {
    const exten = channelFor({ channels: [], context: '', dialAs }, plan, order)?.exten ?? '';
    const isInside = order.e164 === undefined && parseNumber(order.number, plan).kind === 'extension';
    return exten === '' || isInside ? exten : prefix + exten;
  };
}

const dialAsOf = (value: unknown): DialAs => DIAL_FORMS.find((one) => one === value) ?? DEFAULT_DIALLING.dialAs;

/** What the client is made of, apart from the table; for a button of the dialog too. Throws `FINESSE_BAD_SETTINGS`. */
export function serverOf(red: NodeAPI, def: Pick<FinesseConfigDef, 'name' | 'address' | 'tls'>) {
  const name = textOf(def.name) || 'Finesse';
  const fields = new FieldReader(name, badSettings);
  const address = fields.text({ en: 'Address', ru: 'Адрес' }, def.address).replace(/\/$/, '');
  const { ca } = tlsMaterial(red, def.tls, (problem) => fields.wrong({ en: 'TLS', ru: 'TLS' }, problem));
  return { name, address, ...(ca === undefined ? {} : { ca }) };
}

/** Reads what stands in the dialog, once. Throws `FINESSE_BAD_SETTINGS` or `PHONE_BAD_PLAN`, naming the field that is wrong. */
export function finesseSettings(red: NodeAPI, def: FinesseConfigDef, passwords: Passwords): FinesseSettings {
  const server = serverOf(red, def);
  const { name } = server;
  const fields = new FieldReader(name, badSettings);
  const plan = numberingOf(fields, def);
  return {
    ...server,
    ...agentTable(name, def.agents, passwords),
    plan,
    rules: dialRules(fields, def),
    addressOf: addressFor(plan, dialAsOf(def.dialAs), prefixOf(fields, def.prefix)),
  };
}
