import { badSettings } from '../errors';
import type { CrmKind } from '../types';
import { amocrm } from './amocrm';
import { bitrix24 } from './bitrix24';
import { demo } from './demo';
import { espocrm } from './espocrm';
import { genericHttp } from './generic-http';
import { line24 } from './line24';
import { retailcrm } from './retailcrm';
import { usercrm } from './usercrm';

/** Every CRM that the pack speaks to, in the order of the dialog. A new one is one file here and one line. */
export const crmKinds: readonly CrmKind[] = [demo, usercrm, bitrix24, amocrm, retailcrm, espocrm, line24, genericHttp];

/** The kind with this id; throws `CRM_BAD_SETTINGS` when there is none. */
export function crmKind(id: string): CrmKind {
  const kind = crmKinds.find((one) => one.id === id);
  if (kind === undefined) {
    throw badSettings('kind', {
      en: `this version knows no CRM "${id.slice(0, 40)}". Choose one from the list, or update the pack.`,
      ru: `эта версия не знает CRM «${id.slice(0, 40)}». Выберите CRM из списка или обновите пакет.`,
    });
  }
  return kind;
}
