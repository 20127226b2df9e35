import type { NodeAPI, NodeDef } from 'node-red';
import type { AmiTls } from '../../lib/ami/types';
import type { Text } from '../../lib/errors';
import { numberingPlan } from '../../lib/phone';
import { badSettings } from '../../lib/pbx/errors';
import type { PbxOptions } from '../../lib/pbx/pbx';

/** The dialog of `ami-config` as it is saved: numbers may be strings, and whatever a person or an old flow left out is absent. */
export interface AmiConfigDef extends NodeDef {
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
}

export interface AmiCredentials {
  readonly username?: string;
  readonly secret?: string;
}

/** Node-RED's own `tls-config` node, as far as we need it. */
export interface TlsConfigNode {
  readonly type: string;
  readonly valid: boolean;
  /** Off = the admin asked not to check the certificate; we check it all the same. */
  readonly verifyservercert?: boolean;
  addTLSOptions(into: object): {
    readonly ca?: string | Buffer;
    readonly cert?: string | Buffer;
    readonly key?: string | Buffer;
    readonly passphrase?: string;
    readonly servername?: string;
  };
}

/** The `tls-config` that a dialog chose, if it is there. */
export function tlsConfig(red: NodeAPI, id: unknown): TlsConfigNode | undefined {
  if (typeof id !== 'string' || id === '') return undefined;
  const node = red.nodes.getNode(id) as unknown as TlsConfigNode | null | undefined;
  return node?.type === 'tls-config' ? node : undefined;
}

const MAX_FIELD = 255;

const text = (value: unknown): string =>
  typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';

/** One field as text; refuses a `${VARIABLE}` that Node-RED could not fill in, and what no line of AMI can carry. */
function field(name: string, label: Text, value: unknown): string {
  const read = text(value);
  const variable = /^\$\{(\S+)\}$/.exec(read)?.[1];
  if (variable !== undefined) {
    throw badSettings(name, {
      en: `${label.en}: the environment variable ${variable} is not set.`,
      ru: `${label.ru}: переменная окружения ${variable} не задана.`,
    });
  }
  if (read.length > MAX_FIELD || /[\u0000-\u001f]/.test(read)) {
    throw badSettings(name, {
      en: `${label.en}: it must be one line of at most ${MAX_FIELD} characters.`,
      ru: `${label.ru}: нужна одна строка не длиннее ${MAX_FIELD} символов.`,
    });
  }
  return read;
}

function required(name: string, label: Text, value: unknown): string {
  const read = field(name, label, value);
  if (read === '') throw badSettings(name, { en: `${label.en} is missing.`, ru: `${label.ru}: поле не заполнено.` });
  return read;
}

function port(name: string, value: unknown, tls: boolean): number {
  const label = { en: 'Port', ru: 'Порт' };
  const read = field(name, label, value);
  if (read === '') return tls ? 5039 : 5038;
  const number = /^\d{1,5}$/.test(read) ? Number(read) : 0;
  if (number < 1 || number > 65535) {
    throw badSettings(name, {
      en: `Port: "${read}" is no port; write a number from 1 to 65535 (5038, with TLS 5039).`,
      ru: `Порт: «${read}» — не порт; напишите число от 1 до 65535 (5038, с TLS 5039).`,
    });
  }
  return number;
}

function eventMask(name: string, value: unknown): string {
  const mask = field(name, { en: 'Events', ru: 'События' }, value).replace(/\s+/g, '').toLowerCase();
  if (mask === '') return 'on';
  if (!/^[a-z]+(,[a-z]+)*$/.test(mask)) {
    throw badSettings(name, {
      en: 'Events: write "on", "off" or classes of manager.conf with commas, for instance "system,call,agent".',
      ru: 'События: напишите «on», «off» или классы manager.conf через запятую, например «system,call,agent».',
    });
  }
  return mask;
}

function tlsOptions(name: string, serverName: string, node: TlsConfigNode | undefined): AmiTls {
  if (node?.valid === false) {
    throw badSettings(name, {
      en: 'the chosen TLS configuration cannot be used: see its own error in the log.',
      ru: 'выбранную конфигурацию TLS нельзя использовать: её ошибка есть в журнале.',
    });
  }
  const { ca, cert, key, passphrase, servername = '' } = node?.addTLSOptions({}) ?? {};
  const expected = serverName === '' ? servername : serverName;
  return {
    ...(ca === undefined ? {} : { ca: ca.toString() }),
    ...(cert === undefined ? {} : { cert: cert.toString() }),
    ...(key === undefined ? {} : { key: key.toString() }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(expected === '' ? {} : { serverName: expected }),
  };
}

/**
 * Reads what stands in the dialog, once; nothing behind this looks at it again.
 * Throws `PBX_BAD_SETTINGS` or `PHONE_BAD_PLAN`, naming the field that is wrong.
 */
export function pbxOptions(def: AmiConfigDef, credentials: AmiCredentials, tlsNode?: TlsConfigNode): PbxOptions {
  const simulated = def.mode !== 'asterisk';
  const host = text(def.host);
  const name = text(def.name) || (simulated ? 'simulator' : host) || 'asterisk';
  const plan = numberingPlan({
    country: field(name, { en: 'Country', ru: 'Страна' }, def.country) || 'RU',
    extensionPattern: text(def.extensions),
  });
  if (simulated) return { name, plan, connection: { kind: 'simulator' } };

  const driver = def.driver === 'asterisk-manager' ? def.driver : 'built-in';
  const useTls = def.useTls === true;
  const client = {
    host: required(name, { en: 'Address', ru: 'Адрес' }, def.host),
    port: port(name, def.port, useTls),
    username: required(name, { en: 'User name', ru: 'Имя пользователя' }, credentials.username),
    secret: required(name, { en: 'Secret', ru: 'Пароль' }, credentials.secret),
    plainLogin: def.plainLogin === true,
    events: eventMask(name, def.events),
    ...(useTls
      ? { tls: tlsOptions(name, field(name, { en: 'Server name', ru: 'Имя сервера' }, def.serverName), tlsNode) }
      : {}),
  };
  if (useTls && driver === 'asterisk-manager') {
    throw badSettings(name, {
      en: 'the driver asterisk-manager cannot speak TLS: choose the built-in driver or switch TLS off.',
      ru: 'драйвер asterisk-manager не умеет TLS: выберите встроенный драйвер или отключите TLS.',
    });
  }
  return { name, plan, connection: { kind: 'asterisk', driver, client } };
}
