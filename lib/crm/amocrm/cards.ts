import type { CallPayload } from '../../messages/types';
import { isLateForCard, SKIPPED } from '../call-record';
import { clientText, hasDigits } from '../numbers';
import type { Delivered, DeliveryContext } from '../types';
import { amoId, type AmoApi } from './api';

const KEY = 'amocrm.cards';

/** Cards of incoming calls on the screens of those who are rung or get the call: one for each user and call. */
export class AmoCards {
  constructor(private readonly api: AmoApi) {}

  async open(payload: CallPayload, extension: string | undefined, context: DeliveryContext): Promise<Delivered> {
    const phone = clientText(payload.client);
    if (payload.direction !== 'in' || isLateForCard(payload, context) || !hasDigits(phone)) return SKIPPED;
    const user = amoId(extension === undefined ? undefined : context.userOf(extension)?.userId);
    if (user === undefined) return SKIPPED;
    const seen = JSON.parse((await context.memo.get(KEY)) ?? '[]') as number[];
    if (seen.includes(user)) return SKIPPED;
    const answer = await this.api.showCard(phone, [user], context);
    await context.memo.set(KEY, JSON.stringify([...seen, user]));
    return { status: 'delivered', answer };
  }
}
