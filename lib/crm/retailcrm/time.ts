import { isTimeZone } from '../../time-zone';
import { badAnswer } from '../errors';
import { asObject, isObject, scalar } from '../json';
import type { CallContext } from '../types';
import type { RetailApi } from './api';

/** `2026-11-20 22:00:00`: retailCRM takes and gives no offset. */
export const localTime = (iso: string, timeZone: string): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(new Date(iso));

/** The time zone in which one account writes its times; asked for once. */
export class AccountZone {
  private known: string | undefined;

  constructor(private readonly api: RetailApi) {}

  async ask(context: CallContext): Promise<string> {
    if (this.known !== undefined) return this.known;
    const { settings } = await this.api.get('settings', {}, context);
    const { timezone } = asObject(settings);
    const name = scalar(isObject(timezone) ? timezone.value : timezone) ?? '';
    if (!isTimeZone(name)) {
      throw badAnswer({
        en: 'the settings of the account name no time zone: enter it in crm-webhook-out.',
        ru: 'в настройках аккаунта нет часового пояса: укажите его в crm-webhook-out.',
      });
    }
    this.known = name;
    return name;
  }
}
