import type { CallPayload, CallTopic } from '../../messages/types';
import { isLateForCard, SKIPPED } from '../call-record';
import { optional, type JsonObject } from '../json';
import type { Delivered, DeliveryContext } from '../types';
import type { RetailApi } from './api';
import type { Choices } from './choices';
import { externalIdOf, hangupOf, personOf, phoneOf, placeOf } from './facts';

const KEY = 'retailcrm.cards';

type Topic = Exclude<CallTopic, 'call_record' | 'call_held' | 'call_active'>;

/** The cards of a call on the screens of its people: raised by the event `in` or `out`, closed by `hangup`. */
export class RetailCards {
  constructor(private readonly api: RetailApi) {}

  /**
   * Each extension gets its card once: when it rings, or at the answer, or when the call is transferred to it. Of hang-ups only those are
   * told whose card was raised. A lost answer may raise a card a second time.
   */
  async tell(topic: Topic, payload: CallPayload, choices: Choices, context: DeliveryContext): Promise<Delivered> {
    const extension = topic === 'call_transfer' ? payload.transfer?.to : payload.extension;
    const phone = phoneOf(payload);
    if (choices.card === 'none' || extension === undefined || phone === undefined) return SKIPPED;
    const person = personOf(extension, context);
    const call = {
      phone,
      callExternalId: externalIdOf(payload),
      ...placeOf(payload, choices),
      ...('userId' in person ? { userIds: [person.userId] } : { codes: [person.code] }),
    };
    const shown = await this.shown(context);
    const isShown = shown.includes(extension);
    if (topic === 'call_hangup') {
      if (!isShown) return SKIPPED;
      const told = await this.send({ ...call, type: 'hangup', hangupStatus: hangupOf(payload) }, context);
      const others = shown.filter((one) => one !== extension);
      await this.keep(others, context);
      return told;
    }
    const isTooEarly = topic === 'call_ringing' && choices.card === 'answer';
    if (isShown || isTooEarly || isLateForCard(payload, context)) return SKIPPED;
    const told = await this.send({ ...call, type: payload.direction }, context);
    await this.keep([...shown, extension], context);
    return told;
  }

  /** Phones that belong to nobody ring too: the answer names them as `notExistCodes`, and no harm is done. */
  private async send(event: JsonObject & { readonly type: string }, context: DeliveryContext): Promise<Delivered> {
    const { notExistCodes, notExistUsers } = await this.api.post('telephony/call/event', { event }, context);
    return {
      status: 'delivered',
      answer: {
        type: event.type,
        ...optional('notExistCodes', notExistCodes),
        ...optional('notExistUsers', notExistUsers),
      },
    };
  }

  private async shown({ memo }: DeliveryContext): Promise<readonly string[]> {
    return JSON.parse((await memo.get(KEY)) ?? '[]') as string[];
  }

  private keep(shown: readonly string[], { memo }: DeliveryContext): Promise<void> {
    return memo.set(KEY, JSON.stringify(shown));
  }
}
