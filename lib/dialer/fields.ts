import { isIP } from 'node:net';
import { isVariable } from '../channel-variables';
import { isContext } from '../outbound/channels';
import { isOneLine } from '../text';
import { isTimeZone } from '../time-zone';
import { badOrder, orderError } from './errors';
import type { OrderCallerId } from './types';

/** Characters of the key of an order. */
export const MAX_KEY = 128;
const MAX_FILES = 10;
const MAX_FILE = 100;
const MAX_VARIABLES = 32;
/** A line of AMI has 1024 bytes, and a letter up to four of them. */
const MAX_VALUE = 200;
const MAX_DATA_BYTES = 8 * 1024;

const FILE = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/;
const LANGUAGE = /^[a-z]{2}(?:[_-][A-Z]{2})?$/;
const CALLER_NUMBER = /^\+?[0-9]{1,20}$/;
/** What ends the quoted part of a caller id. */
const NOT_IN_A_NAME = /["<>\\]/;
/** `PJSIP/101`, `Local/100@default/n`, `PJSIP/trunk/sip:100@10.0.0.1`: nothing that would dial a second one beside it. */
const CHANNEL = /^[A-Za-z][A-Za-z0-9]{1,15}\/[A-Za-z0-9_+.:@*#/-]{1,120}$/;
const EXTEN = /^[A-Za-z0-9*#+_.-]{1,40}$/;

/** Of a function, or of nothing at all, there is no text. */
const toJson: (value: unknown) => string | undefined = JSON.stringify;

/**
 * The fields of something that came from outside. Each method gives the checked value of one field, `undefined` when it is not there
 * (absent, null or empty), and throws `ORDER_BAD` or `ORDER_TOO_LARGE`, which name the field.
 */
export class Fields {
  private readonly payload: Readonly<Record<string, unknown>>;

  constructor(
    payload: unknown,
    /** How the fields are called when something is wrong with them. */
    private readonly prefix = 'payload.',
  ) {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      throw badOrder('msg.payload must be an object.', 'msg.payload должен быть объектом.');
    }
    this.payload = payload as Readonly<Record<string, unknown>>;
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  /** One line of text; a number as it is written. */
  text(name: string, max: number): string | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
    if (typeof text !== 'string') throw this.bad(name, 'must be a text', 'должно быть строкой');
    if (text.length > max) {
      throw this.bad(name, `may have ${max} characters`, `— не больше ${max} символов`);
    }
    if (!isOneLine(text)) throw this.bad(name, 'must be one line of text', 'должно быть одной строкой');
    return text.trim() === '' ? undefined : text.trim();
  }

  whole(name: string, least: number, most: number): number | undefined {
    const text = this.text(name, 20);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw this.bad(name, `must be a whole number from ${least} to ${most}`, `— целое число от ${least} до ${most}`);
    }
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== 'boolean') {
      throw this.bad(name, 'must be true or false', '— true или false');
    }
    return value;
  }

  private matching(name: string, max: number, form: RegExp, en: string, ru: string): string | undefined {
    const text = this.text(name, max);
    if (text !== undefined && !form.test(text)) throw this.bad(name, en, ru);
    return text;
  }

  /** Names of sound files: a list, or a text with `&` between them. */
  files(name: string): readonly string[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const list: unknown = typeof value === 'string' ? value.split('&').map((one) => one.trim()) : value;
    if (!Array.isArray(list) || list.length === 0 || list.length > MAX_FILES) {
      throw this.bad(name, `must be 1 to ${MAX_FILES} names of files`, `— от 1 до ${MAX_FILES} имён файлов`);
    }
    return (list as unknown[]).map((file) => this.fileName(name, file));
  }

  file(name: string): string | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : this.fileName(name, value);
  }

  private fileName(name: string, file: unknown): string {
    if (typeof file !== 'string' || file.length > MAX_FILE || !FILE.test(file)) {
      throw this.bad(
        name,
        'must name sound files: letters, digits, - and _, with / between folders, without an ending (.wav)',
        '— имена звуковых файлов: латинские буквы, цифры, - и _, папки через /, без расширения (.wav)',
      );
    }
    return file;
  }

  language(name: string): string | undefined {
    return this.matching(name, 5, LANGUAGE, 'must be like en or pt_BR', '— вида ru или pt_BR');
  }

  timeZone(name: string): string | undefined {
    const zone = this.text(name, 40);
    if (zone === undefined || isTimeZone(zone)) return zone;
    throw this.bad(name, 'must be like Europe/Moscow', '— вида Europe/Moscow');
  }

  address(name: string): string | undefined {
    const address = this.text(name, 45);
    if (address !== undefined && isIP(address) === 0) throw this.bad(name, 'must be an IP address', '— IP-адрес');
    return address;
  }

  /** `{number, name}`, or the number alone. */
  callerId(name: string): OrderCallerId | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const fields = new Fields(typeof value === 'object' ? value : { number: value }, `${this.prefix}${name}.`);
    const number = fields.text('number', 40)?.replace(/[\s()-]/g, '');
    if (number !== undefined && !CALLER_NUMBER.test(number)) {
      throw fields.bad('number', 'must be digits, with + before them or not', '— цифры, с + впереди или без');
    }
    const shown = fields.text('name', 60);
    if (shown !== undefined && NOT_IN_A_NAME.test(shown)) {
      throw fields.bad('name', 'must not hold " < > \\', '— без знаков " < > \\');
    }
    if (number === undefined && shown === undefined) return undefined;
    return { ...(number === undefined ? {} : { number }), ...(shown === undefined ? {} : { name: shown }) };
  }

  /** Channel variables: plain names, values of one line. */
  variables(name: string): Readonly<Record<string, string>> {
    const value = this.raw(name);
    if (value === undefined) return {};
    const fields = new Fields(value, `${this.prefix}${name}.`);
    const names = Object.keys(value as object);
    if (names.length > MAX_VARIABLES) {
      throw this.bad(name, `may have ${MAX_VARIABLES} variables`, `— не больше ${MAX_VARIABLES} переменных`);
    }
    const found = names.map((one) => {
      if (!isVariable(one)) {
        throw this.bad(
          name,
          'must have names of letters, digits and _, none of those that the shipped dialplan or a shell reads (TCRM_…, TELEPHONY_CRM_…, CRM_ROUTE_…, MONITOR_EXEC)',
          '— имена из латинских букв, цифр и _, кроме тех, что читает диалплан пакета или оболочка (TCRM_…, TELEPHONY_CRM_…, CRM_ROUTE_…, MONITOR_EXEC)',
        );
      }
      const flag = fields.raw(one);
      return [one, typeof flag === 'boolean' ? String(flag) : (fields.text(one, MAX_VALUE) ?? '')] as const;
    });
    return Object.fromEntries(found);
  }

  /** Anything that can be written as JSON: a copy. */
  json(name: string): unknown {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    return jsonCopy(this.prefix + name, value);
  }

  channel(name: string): string | undefined {
    return this.matching(name, 140, CHANNEL, 'must be like PJSIP/101', '— вида PJSIP/101');
  }

  context(name: string): string | undefined {
    const context = this.text(name, 79);
    if (context === undefined || isContext(context)) return context;
    throw this.bad(name, 'must be the name of a context', '— имя контекста');
  }

  exten(name: string): string | undefined {
    return this.matching(name, 40, EXTEN, 'must be like 100', '— вида 100');
  }

  bad(name: string, en: string, ru: string): Error {
    return badOrder(`${this.prefix}${name} ${en}.`, `${this.prefix}${name} ${ru}.`);
  }

  private raw(name: string): unknown {
    // What every object inherits is no field.
    const value = Object.hasOwn(this.payload, name) ? this.payload[name] : undefined;
    return value === null || value === '' ? undefined : value;
  }
}

/** A copy that no later change can reach, `undefined` for what has no JSON. Throws `ORDER_BAD` or `ORDER_TOO_LARGE`. */
export function jsonCopy(what: string, value: unknown): unknown {
  let text: string | undefined;
  try {
    text = toJson(value);
  } catch {
    throw badOrder(`${what} cannot be written as JSON.`, `${what} нельзя записать в JSON.`);
  }
  if (text === undefined) return undefined;
  if (Buffer.byteLength(text) > MAX_DATA_BYTES) throw orderError('ORDER_TOO_LARGE', { what, limit: MAX_DATA_BYTES });
  return JSON.parse(text) as unknown;
}
