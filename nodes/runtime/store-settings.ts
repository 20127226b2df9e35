import { join } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import type { Text } from '../../lib/errors';
import type { StoreOptions } from '../../lib/store';
import { badStoreSettings } from '../../lib/store/errors';
import { variableIn } from '../../lib/variables';
import { textOf } from './settings';
import { userFolder } from './user-folder';

/** The dialog of `store-config` as it is saved: numbers may be strings, and whatever a person or an old flow left out is absent. */
export interface StoreConfigDef extends NodeDef {
  readonly file?: string;
  /** Days that calls are kept; 0 = for ever. */
  readonly days?: string | number;
  /** MiB. */
  readonly maxSize?: string | number;
  readonly backup?: boolean;
  readonly backupAt?: string;
  readonly backupKeep?: string | number;
}

const USUAL_FILE = 'telephony-crm.sqlite';
const MIB = 1024 * 1024;

function field(label: Text, value: unknown, usual: string): string {
  const read = textOf(value) || usual;
  const variable = variableIn(read);
  if (variable === undefined) return read;
  throw badStoreSettings({
    en: `${label.en}: the environment variable ${variable} is not set.`,
    ru: `${label.ru}: переменная окружения ${variable} не задана.`,
  });
}

function whole(label: Text, value: unknown, usual: number, least: number, most: number): number {
  const read = field(label, value, String(usual));
  const number = /^\d{1,7}$/.test(read) ? Number(read) : NaN;
  if (number >= least && number <= most) return number;
  throw badStoreSettings({
    en: `${label.en}: write a whole number from ${least} to ${most}.`,
    ru: `${label.ru}: нужно целое число от ${least} до ${most}.`,
  });
}

/** Nothing of a store lies outside the folder of the pack. */
function storeFile(red: NodeAPI, value: unknown): string {
  const name = field({ en: 'File', ru: 'Файл' }, value, USUAL_FILE);
  if (!/^[\w][\w.-]{0,99}$/.test(name)) {
    throw badStoreSettings({
      en: `File: "${name.slice(0, 100)}" is no file name; letters, digits and . _ - without a folder, for instance ${USUAL_FILE}.`,
      ru: `Файл: «${name.slice(0, 100)}» — не имя файла; латинские буквы, цифры и . _ - без папки, например ${USUAL_FILE}.`,
    });
  }
  return join(userFolder(red), /\.(?:sqlite|db)$/.test(name) ? name : `${name}.sqlite`);
}

/** Reads what stands in the dialog, once. Throws `STORE_BAD_SETTINGS`, naming the field that is wrong. */
export function storeOptions(red: NodeAPI, def: StoreConfigDef): Omit<StoreOptions, 'clock' | 'log'> {
  const at = field({ en: 'Backup at', ru: 'Время копии' }, def.backupAt, '03:30');
  if (!/^(?:[01]?\d|2[0-3]):[0-5]\d$/.test(at)) {
    throw badStoreSettings({
      en: 'Backup at: write the time of the day, for instance 03:30.',
      ru: 'Время копии: напишите время суток, например 03:30.',
    });
  }
  return {
    file: storeFile(red, def.file),
    retention: {
      days: whole({ en: 'Keep calls', ru: 'Хранить' }, def.days, 365, 0, 36_500),
      maxBytes: whole({ en: 'Largest size', ru: 'Размер до' }, def.maxSize, 2048, 10, 1_000_000) * MIB,
    },
    ...(def.backup === true
      ? { backup: { at, keep: whole({ en: 'Copies', ru: 'Копий' }, def.backupKeep, 7, 1, 365) } }
      : {}),
  };
}
