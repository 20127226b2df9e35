import { isIP } from 'node:net';
import type { Text } from '../../lib/errors';
import { isChannelTemplate } from '../../lib/outbound/channels';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import { isNumberPattern } from '../../lib/outbound/patterns';
import type { DialSettings } from '../../lib/outbound/types';
import { badSettings } from '../../lib/pbx/errors';
import type { NumberingPlan } from '../../lib/phone/types';
import { field } from './ami-fields';

/** The section "Calls out" in the dialog of `ami-config`, as it is saved; an older flow has none of it. */
export interface DiallingDef {
  readonly agentChannel?: string;
  readonly dialContext?: string;
  /** `8495 = PJSIP/{number}@msk, * = SIP/trunk` */
  readonly dialChannels?: string;
  readonly dialAs?: string;
  readonly autoAnswer?: string;
  /** `+7*, +375*` */
  readonly dialAllow?: string;
  readonly dialDeny?: string;
  readonly perMinute?: string | number;
  readonly perCaller?: string | number;
  readonly hold?: string;
  /** `192.0.2.15 = 101` */
  readonly addresses?: string;
}

const MAX_LIST_TEXT = 20_000;
const MAX_ROWS = 500;
const MAX_PER_MINUTE = 10_000;

const LABELS = {
  agentChannel: { en: 'Phones', ru: 'Телефоны' },
  context: { en: 'Dial context', ru: 'Контекст' },
  channels: { en: 'Channels', ru: 'Каналы' },
  dialAs: { en: 'Number form', ru: 'Вид номера' },
  autoAnswer: { en: 'Auto-answer', ru: 'Автоответ' },
  allow: { en: 'Allowed', ru: 'Разрешены' },
  deny: { en: 'Forbidden', ru: 'Запрещены' },
  perMinute: { en: 'Per minute', ru: 'В минуту' },
  perCaller: { en: 'Per caller', ru: 'На одного' },
  hold: { en: 'Hold', ru: 'Удержание' },
  addresses: { en: 'Computers', ru: 'Адреса' },
} satisfies Readonly<Record<string, Text>>;

/**
 * Reads the section "Calls out". What is empty or absent is as {@link DEFAULT_DIALLING} says.
 * Throws `PBX_BAD_SETTINGS`, naming the field and what to write there.
 */
export function diallingSettings(name: string, def: DiallingDef, plan: NumberingPlan): DialSettings {
  const read = new Reader(name);
  return {
    agentChannel: read.agentChannel(def.agentChannel),
    context: read.context(def.dialContext),
    channels: read.channels(def.dialChannels),
    dialAs: read.choice('dialAs', def.dialAs, ['dialled', 'digits', 'e164']),
    autoAnswer: read.choice('autoAnswer', def.autoAnswer, ['off', 'call-info', 'alert-info', 'answer-mode']),
    allow: read.patterns('allow', def.dialAllow),
    deny: read.patterns('deny', def.dialDeny),
    perMinute: read.limit('perMinute', def.perMinute),
    perCaller: read.limit('perCaller', def.perCaller),
    hold: read.choice('hold', def.hold, ['redirect', 'phone', 'park']),
    addresses: read.addresses(def.addresses, plan),
  };
}

class Reader {
  constructor(private readonly name: string) {}

  agentChannel(value: unknown): string {
    const channel = this.text('agentChannel', value) || DEFAULT_DIALLING.agentChannel;
    if (isChannelTemplate(channel, 'extension')) return channel;
    throw this.wrong('agentChannel', channel, {
      en: 'write a technology and {extension}, for instance PJSIP/{extension}.',
      ru: 'напишите технологию и {extension}, например PJSIP/{extension}.',
    });
  }

  context(value: unknown): string {
    const context = this.text('context', value) || DEFAULT_DIALLING.context;
    if (/^[\w.@+-]{1,79}$/.test(context)) return context;
    throw this.wrong('context', context, {
      en: 'write the name of one context of the dialplan, for instance from-internal.',
      ru: 'напишите имя одного контекста диалплана, например from-internal.',
    });
  }

  channels(value: unknown): DialSettings['channels'] {
    const rows = this.rows('channels', value).map(([left, right, row]) => {
      const prefix = left === '*' ? '' : left.replace('+', '');
      const channel = withNumber(right);
      if (/^[0-9]{0,15}$/.test(prefix) && isChannelTemplate(channel, 'number')) return { prefix, channel };
      throw this.wrong('channels', row, {
        en: 'write prefix = channel with commas, for instance 8495 = PJSIP/{number}@moscow, * = PJSIP/{number}@provider.',
        ru: 'напишите через запятую «префикс = канал», например 8495 = PJSIP/{number}@moscow, * = PJSIP/{number}@provider.',
      });
    });
    const twice = rows.find(({ prefix }, index) => rows.findIndex((one) => one.prefix === prefix) !== index);
    if (!twice) return rows;
    throw this.wrong('channels', twice.prefix || '*', {
      en: 'this prefix stands there twice.',
      ru: 'этот префикс указан дважды.',
    });
  }

  patterns(key: 'allow' | 'deny', value: unknown): string[] {
    // Brackets and dashes are how people write numbers; a blank parts them just as a comma does.
    return this.entries(key, value, /[\s,;]+/).map((entry) => {
      const pattern = entry.replace(/[()-]/g, '');
      if (isNumberPattern(pattern)) return pattern;
      throw this.wrong(key, entry, {
        en: 'write numbers with their country code, with * for "anything behind it", and commas: +7*, +375*.',
        ru: 'напишите через запятую номера с кодом страны, * — «дальше что угодно»: +7*, +375*.',
      });
    });
  }

  limit(key: 'perMinute' | 'perCaller', value: unknown): number {
    const read = this.text(key, value);
    if (read === '') return DEFAULT_DIALLING[key];
    const limit = /^\d{1,5}$/.test(read) ? Number(read) : 0;
    if (limit >= 1 && limit <= MAX_PER_MINUTE) return limit;
    throw this.wrong(key, read, {
      en: `write a whole number from 1 to ${MAX_PER_MINUTE}.`,
      ru: `напишите целое число от 1 до ${MAX_PER_MINUTE}.`,
    });
  }

  choice<Key extends 'dialAs' | 'autoAnswer' | 'hold'>(
    key: Key,
    value: unknown,
    offered: readonly DialSettings[Key][],
  ): DialSettings[Key] {
    const read = this.text(key, value);
    if (read === '') return DEFAULT_DIALLING[key];
    const chosen = offered.find((one) => one === read);
    if (chosen !== undefined) return chosen;
    throw this.wrong(key, read, { en: `write ${offered.join(' | ')}.`, ru: `напишите ${offered.join(' | ')}.` });
  }

  addresses(value: unknown, plan: NumberingPlan): DialSettings['addresses'] {
    return new Map(
      this.rows('addresses', value).map(([left, extension, row]) => {
        const address = left.toLowerCase();
        if (isIP(address) !== 0 && /^[0-9]+$/.test(extension) && plan.isExtension(extension))
          return [address, extension];
        throw this.wrong('addresses', row, {
          en: 'write address = extension with commas, for instance 192.0.2.15 = 101.',
          ru: 'напишите через запятую «адрес = внутренний номер», например 192.0.2.15 = 101.',
        });
      }),
    );
  }

  /** Rows of the form `left = right` (or `left => right`) with commas between them. */
  private rows(key: keyof typeof LABELS, value: unknown): (readonly [left: string, right: string, row: string])[] {
    return this.entries(key, value, /,/).map((row) => {
      const [, left = '', right = ''] = /^(.*?)=>?(.*)$/.exec(row) ?? [];
      return [left.trim(), right.trim(), row] as const;
    });
  }

  private entries(key: keyof typeof LABELS, value: unknown, separator: RegExp): string[] {
    const entries = field(this.name, LABELS[key], value, MAX_LIST_TEXT)
      .split(separator)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    if (entries.length <= MAX_ROWS) return entries;
    throw this.wrong(key, entries[MAX_ROWS] ?? '', {
      en: `there may be ${MAX_ROWS} entries at most.`,
      ru: `записей может быть не больше ${MAX_ROWS}.`,
    });
  }

  private text(key: keyof typeof LABELS, value: unknown): string {
    return field(this.name, LABELS[key], value);
  }

  private wrong(key: keyof typeof LABELS, value: string, what: Text): Error {
    const shown = value.slice(0, 60);
    return badSettings(this.name, {
      en: `${LABELS[key].en}: "${shown}" cannot be used; ${what.en}`,
      ru: `${LABELS[key].ru}: «${shown}» не подходит; ${what.ru}`,
    });
  }
}

/** A trunk alone, as older systems list it (`SIP/UMC`, `DAHDI/g2`): the number goes where its technology wants it. */
function withNumber(channel: string): string {
  if (channel.includes('{number}')) return channel;
  const trunk = /^PJSIP\/([^/@]+)$/i.exec(channel)?.[1];
  return trunk === undefined ? `${channel}/{number}` : `PJSIP/{number}@${trunk}`;
}
