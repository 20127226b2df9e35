import type { NodeAPI, NodeDef } from 'node-red';
import type { AmiTls } from '../../lib/ami/types';
import type { Text } from '../../lib/errors';
import { badSettings } from '../../lib/pbx/errors';
import type { CallSettings, PbxOptions } from '../../lib/pbx/pbx';
import { diallingSettings } from './ami-dialling';
import type { DiallingDef } from './ami-dialling';
import { storeConfig } from './config-nodes';
import { FieldReader } from './field-reader';
import { numberingOf } from './numbering';
import type { RecordingsDef } from './recordings';
import type { RegionsDef } from './regions';
import { textOf } from './settings';
import { tlsMaterial } from './tls';

/** The dialog of `ami-config` as it is saved: numbers may be strings, and whatever a person or an old flow left out is absent. */
export interface AmiConfigDef extends NodeDef, RecordingsDef, RegionsDef, DiallingDef {
  readonly mode?: 'simulator' | 'asterisk';
  readonly driver?: 'built-in' | 'asterisk-manager';
  readonly host?: string;
  readonly port?: string | number;
  readonly useTls?: boolean;
  /** Id of a `tls-config` node. */
  readonly tls?: string;
  readonly serverName?: string;
  readonly plainLogin?: boolean;
  readonly events?: string;
  readonly country?: string;
  readonly extensions?: string;
  /** Names with commas: endpoints of the trunks, contexts of their calls, channel variables that call events carry. */
  readonly trunks?: string;
  readonly trunkContexts?: string;
  readonly variables?: string;
  /** Id of a `store-config` node: calls under way are kept there. */
  readonly store?: string;
}

export interface AmiCredentials {
  readonly username?: string;
  readonly secret?: string;
}

const MAX_NAMES_TEXT = 2000;
const MAX_NAMES = 50;

function required(fields: FieldReader, label: Text, value: unknown): string {
  const read = fields.text(label, value);
  if (read === '') throw fields.bad({ en: `${label.en} is missing.`, ru: `${label.ru}: поле не заполнено.` });
  return read;
}

function port(fields: FieldReader, value: unknown, tls: boolean): number {
  const label = { en: 'Port', ru: 'Порт' };
  const read = fields.text(label, value);
  if (read === '') return tls ? 5039 : 5038;
  const number = /^\d{1,5}$/.test(read) ? Number(read) : 0;
  if (number < 1 || number > 65535) {
    throw fields.bad({
      en: `Port: "${read}" is no port; write a number from 1 to 65535 (5038, with TLS 5039).`,
      ru: `Порт: «${read}» — не порт; напишите число от 1 до 65535 (5038, с TLS 5039).`,
    });
  }
  return number;
}

function eventMask(fields: FieldReader, value: unknown): string {
  const mask = fields.text({ en: 'Events', ru: 'События' }, value).replace(/\s+/g, '').toLowerCase();
  if (mask === '') return 'on';
  if (!/^[a-z]+(,[a-z]+)*$/.test(mask)) {
    throw fields.bad({
      en: 'Events: write "on", "off" or classes of manager.conf with commas, for instance "system,call,agent".',
      ru: 'События: напишите «on», «off» или классы manager.conf через запятую, например «system,call,agent».',
    });
  }
  return mask;
}

function tlsOptions(red: NodeAPI, fields: FieldReader, def: AmiConfigDef): AmiTls {
  const serverName = fields.text({ en: 'Server name', ru: 'Имя сервера' }, def.serverName);
  const material = tlsMaterial(red, def.tls, (problem) => fields.bad(problem));
  return serverName === '' ? material : { ...material, serverName };
}

/** A list of names with commas; `pattern` says what a name is, after the technology that people put before a trunk. */
function names(fields: FieldReader, label: Text, value: unknown, pattern: RegExp): string[] {
  const read = fields
    .text(label, value, MAX_NAMES_TEXT)
    .split(/[\s,;]+/)
    .map((one) => one.replace(/^\w+\//, ''))
    .filter((one) => one !== '');
  const wrong = read.find((one) => !pattern.test(one)) ?? read[MAX_NAMES];
  if (wrong !== undefined) {
    throw fields.bad({
      en: `${label.en}: "${wrong}" cannot be used; write at most ${MAX_NAMES} names with commas.`,
      ru: `${label.ru}: «${wrong}» не подходит; напишите до ${MAX_NAMES} имён через запятую.`,
    });
  }
  return read;
}

const OBJECT_NAME = /^[\w.@+-]{1,80}$/;
const VARIABLE_NAME = /^[A-Za-z_]\w{0,79}$/;

/** What the dialog says of calls. A simulator has its own trunk, which needs no name. */
function callSettings(red: NodeAPI, fields: FieldReader, def: AmiConfigDef, simulated: boolean): CallSettings {
  const table = storeConfig(red, def.store)?.store?.live;
  return {
    variables: names(fields, { en: 'Variables', ru: 'Переменные' }, def.variables, VARIABLE_NAME),
    ...(simulated
      ? {}
      : {
          trunks: names(fields, { en: 'Trunks', ru: 'Транки' }, def.trunks, OBJECT_NAME),
          trunkContexts: names(fields, { en: 'Contexts', ru: 'Контексты' }, def.trunkContexts, OBJECT_NAME),
        }),
    ...(table ? { live: { table, key: def.id } } : {}),
  };
}

/**
 * Reads what stands in the dialog, once; nothing behind this looks at it again.
 * Throws `PBX_BAD_SETTINGS` or `PHONE_BAD_PLAN`, naming the field that is wrong.
 */
export function pbxOptions(red: NodeAPI, def: AmiConfigDef, credentials: AmiCredentials): PbxOptions {
  const simulated = def.mode !== 'asterisk';
  const host = textOf(def.host);
  const name = textOf(def.name) || (simulated ? 'simulator' : host) || 'asterisk';
  const fields = new FieldReader(name, badSettings);
  const plan = numberingOf(fields, def);
  const calls = callSettings(red, fields, def, simulated);
  const dialling = diallingSettings(name, def, plan);
  if (simulated) return { name, plan, calls, dialling, connection: { kind: 'simulator' } };

  const driver = def.driver === 'asterisk-manager' ? def.driver : 'built-in';
  const useTls = def.useTls === true;
  const client = {
    host: required(fields, { en: 'Address', ru: 'Адрес' }, def.host),
    port: port(fields, def.port, useTls),
    username: required(fields, { en: 'User name', ru: 'Имя пользователя' }, credentials.username),
    secret: required(fields, { en: 'Secret', ru: 'Пароль' }, credentials.secret),
    plainLogin: def.plainLogin === true,
    events: eventMask(fields, def.events),
    ...(useTls ? { tls: tlsOptions(red, fields, def) } : {}),
  };
  if (useTls && driver === 'asterisk-manager') {
    throw fields.bad({
      en: 'the driver asterisk-manager cannot speak TLS: choose the built-in driver or switch TLS off.',
      ru: 'драйвер asterisk-manager не умеет TLS: выберите встроенный драйвер или отключите TLS.',
    });
  }
  return { name, plan, calls, dialling, connection: { kind: 'asterisk', driver, client } };
}
