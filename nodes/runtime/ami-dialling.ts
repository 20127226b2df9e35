import { isIP } from 'node:net';
import type { Text } from '../../lib/errors';
import { isChannelTemplate, isContext } from '../../lib/outbound/channels';
import { DEFAULT_DIALLING } from '../../lib/outbound/defaults';
import type { DialSettings } from '../../lib/outbound/types';
import { badSettings } from '../../lib/pbx/errors';
import type { NumberingPlan } from '../../lib/phone/types';
import { DIAL_FORMS, dialRules } from './dial-rules';
import { FieldReader } from './field-reader';

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

const LABELS = {
  agentChannel: { en: 'Phones', ru: 'Телефоны' },
  context: { en: 'Dial context', ru: 'Контекст' },
  channels: { en: 'Channels', ru: 'Каналы' },
  dialAs: { en: 'Number form', ru: 'Вид номера' },
  autoAnswer: { en: 'Auto-answer', ru: 'Автоответ' },
  hold: { en: 'Hold', ru: 'Удержание' },
  addresses: { en: 'Computers', ru: 'Адреса' },
} satisfies Readonly<Record<string, Text>>;

/**
 * Reads the section "Calls out". What is empty or absent is as {@link DEFAULT_DIALLING} says.
 * Throws `PBX_BAD_SETTINGS`, naming the field and what to write there.
 */
export function diallingSettings(name: string, def: DiallingDef, plan: NumberingPlan): DialSettings {
  const fields = new FieldReader(name, badSettings);
  const { dialAllow: allow, dialDeny: deny, perMinute, perCaller } = def;
  return {
    agentChannel: agentChannel(fields, def.agentChannel),
    context: context(fields, def.dialContext),
    channels: channels(fields, def.dialChannels),
    dialAs: choice(fields, 'dialAs', def.dialAs, DIAL_FORMS),
    autoAnswer: choice(fields, 'autoAnswer', def.autoAnswer, ['off', 'call-info', 'alert-info', 'answer-mode']),
    ...dialRules(fields, { allow, deny, perMinute, perCaller }),
    hold: choice(fields, 'hold', def.hold, ['redirect', 'phone', 'park']),
    addresses: addresses(fields, def.addresses, plan),
  };
}

function agentChannel(fields: FieldReader, value: unknown): string {
  const channel = fields.text(LABELS.agentChannel, value) || DEFAULT_DIALLING.agentChannel;
  if (isChannelTemplate(channel, 'extension')) return channel;
  throw fields.unusable(LABELS.agentChannel, channel, {
    en: 'write a technology and {extension}, for instance PJSIP/{extension}.',
    ru: 'напишите технологию и {extension}, например PJSIP/{extension}.',
  });
}

function context(fields: FieldReader, value: unknown): string {
  const read = fields.text(LABELS.context, value) || DEFAULT_DIALLING.context;
  if (isContext(read)) return read;
  throw fields.unusable(LABELS.context, read, {
    en: 'write the name of one context of the dialplan, for instance from-internal.',
    ru: 'напишите имя одного контекста диалплана, например from-internal.',
  });
}

function channels(fields: FieldReader, value: unknown): DialSettings['channels'] {
  const map = rows(fields, LABELS.channels, value).map(([left, right, row]) => {
    const prefix = left === '*' ? '' : left.replace('+', '');
    const channel = withNumber(right);
    if (/^[0-9]{0,15}$/.test(prefix) && isChannelTemplate(channel, 'number')) return { prefix, channel };
    throw fields.unusable(LABELS.channels, row, {
      en: 'write prefix = channel with commas, for instance 8495 = PJSIP/{number}@moscow, * = PJSIP/{number}@provider.',
      ru: 'напишите через запятую «префикс = канал», например 8495 = PJSIP/{number}@moscow, * = PJSIP/{number}@provider.',
    });
  });
  const twice = map.find(({ prefix }, index) => map.findIndex((one) => one.prefix === prefix) !== index);
  if (!twice) return map;
  throw fields.unusable(LABELS.channels, twice.prefix || '*', {
    en: 'this prefix stands there twice.',
    ru: 'этот префикс указан дважды.',
  });
}

function choice<Key extends 'dialAs' | 'autoAnswer' | 'hold'>(
  fields: FieldReader,
  key: Key,
  value: unknown,
  offered: readonly DialSettings[Key][],
): DialSettings[Key] {
  const read = fields.text(LABELS[key], value);
  if (read === '') return DEFAULT_DIALLING[key];
  const chosen = offered.find((one) => one === read);
  if (chosen !== undefined) return chosen;
  throw fields.unusable(LABELS[key], read, {
    en: `write ${offered.join(' | ')}.`,
    ru: `напишите ${offered.join(' | ')}.`,
  });
}

function addresses(fields: FieldReader, value: unknown, plan: NumberingPlan): DialSettings['addresses'] {
  return new Map(
    rows(fields, LABELS.addresses, value).map(([left, extension, row]) => {
      const address = left.toLowerCase();
      if (isIP(address) !== 0 && /^[0-9]+$/.test(extension) && plan.isExtension(extension)) return [address, extension];
      throw fields.unusable(LABELS.addresses, row, {
        en: 'write address = extension with commas, for instance 192.0.2.15 = 101.',
        ru: 'напишите через запятую «адрес = внутренний номер», например 192.0.2.15 = 101.',
      });
    }),
  );
}

/** Rows of the form `left = right` (or `left => right`) with commas between them. */
function rows(
  fields: FieldReader,
  label: Text,
  value: unknown,
): (readonly [left: string, right: string, row: string])[] {
  return fields.entries(label, value, /,/).map((row) => {
    const [, left = '', right = ''] = /^(.*?)=>?(.*)$/.exec(row) ?? [];
    return [left.trim(), right.trim(), row] as const;
  });
}

/** A trunk alone, as older systems list it (`SIP/UMC`, `DAHDI/g2`): the number goes where its technology wants it. */
function withNumber(channel: string): string {
  if (channel.includes('{number}')) return channel;
  const trunk = /^PJSIP\/([^/@]+)$/i.exec(channel)?.[1];
  return trunk === undefined ? `${channel}/{number}` : `PJSIP/{number}@${trunk}`;
}
