import type { CallPayload, CallTopic } from '../../messages/types';
import { isLateForCard, SKIPPED } from '../call-record';
import type { Delivered, DeliveryContext } from '../types';
import { isRefusal, type BitrixApi } from './api';
import type { Choices } from './choices';
import { personOf, type Person } from './people';
import type { CallFacts, Registered, Registrations } from './registrations';

const KEY = 'bitrix24.cards';
/** Stands for the user for whom the call was registered, when only his extension is known. */
const REGISTERED = '';

type Topic = Exclude<CallTopic, 'call_record' | 'call_held' | 'call_active'>;

/** The cards of a call on the screens of its people: one registration, shown to many. */
export class BitrixCards {
  constructor(
    private readonly api: BitrixApi,
    private readonly registrations: Registrations,
  ) {}

  /** Who answers keeps the card, the others lose it; whom the call is transferred to gets it. */
  async tell(
    topic: Topic,
    payload: CallPayload,
    facts: CallFacts,
    choices: Choices,
    context: DeliveryContext,
  ): Promise<Delivered> {
    const { extension } = payload;
    const isUnwanted = choices.card === 'none' || choices.way === 'activity' || extension === undefined;
    if (isUnwanted || (topic !== 'call_hangup' && isLateForCard(payload, context))) return SKIPPED;
    const person = personOf(extension, context);
    const call = await this.registrations.known(context);
    if (call === undefined) {
      const isTime = topic === 'call_answer' || (topic === 'call_ringing' && choices.card === 'ringing');
      return isTime ? this.open(facts, person, choices, context) : SKIPPED;
    }
    const seen = await this.seen(context);
    const key = keyOf(person, call);
    switch (topic) {
      case 'call_ringing':
        return choices.card === 'ringing' ? this.show(call, key, seen, context) : SKIPPED;
      case 'call_answer': {
        const shown = await this.show(call, key, seen, context);
        const losers = seen.filter((one) => one !== key);
        return losers.length === 0 ? shown : this.hide(call, losers, context);
      }
      case 'call_transfer': {
        const to = payload.transfer && keyOf(personOf(payload.transfer.to, context), call);
        return this.show(call, to, seen, context);
      }
      case 'call_hangup': {
        const isLoser = payload.answeredAt === undefined && key !== undefined && seen.includes(key);
        return isLoser ? this.hide(call, [key], context) : SKIPPED;
      }
    }
  }

  /** Bitrix24 itself has opened the card of who clicked. */
  opened(call: Registered, context: DeliveryContext): Promise<void> {
    return this.keep([keyOf(call.person, call) ?? REGISTERED], context);
  }

  /** Before the end: Bitrix24 itself closes the card of the one user to whom the call is counted. */
  async leaveTo(call: Registered, person: Person | undefined, context: DeliveryContext): Promise<void> {
    const seen = await this.seen(context);
    const keeper = person && keyOf(person, call);
    const others = seen.filter((one) => one !== keeper);
    if (others.length === 0) return;
    try {
      await this.hide(call, others, context);
    } catch (thrown) {
      // An open card is a nuisance; a call that is not counted is a loss.
      if (!isRefusal(thrown, /./)) throw thrown;
    }
  }

  private async open(facts: CallFacts, person: Person, choices: Choices, context: DeliveryContext): Promise<Delivered> {
    const call = await this.registrations.register(facts, [person], true, choices, context);
    // Phones that belong to nobody ring too, and a record finds its user in another way.
    if (typeof call === 'string') return SKIPPED;
    const seen = [keyOf(call.person, call) ?? REGISTERED];
    await this.keep(seen, context);
    // A registration whose answer was lost may have been for somebody else.
    await this.show(call, keyOf(person, call), seen, context);
    return told(call);
  }

  private async show(
    call: Registered,
    key: string | undefined,
    seen: readonly string[],
    context: DeliveryContext,
  ): Promise<Delivered> {
    if (key === undefined || seen.includes(key)) return SKIPPED;
    await this.api.call('telephony.externalCall.show', { CALL_ID: call.id, USER_ID: [Number(key)] }, context);
    await this.keep([...seen, key], context);
    return told(call);
  }

  private async hide(call: Registered, keys: readonly string[], context: DeliveryContext): Promise<Delivered> {
    const CALL_ID = call.id;
    const ids = keys.filter((key) => key !== REGISTERED).map(Number);
    if (ids.length > 0) await this.api.call('telephony.externalCall.hide', { CALL_ID, USER_ID: ids }, context);
    // Without a user it is the one of the registration.
    if (keys.includes(REGISTERED)) await this.api.call('telephony.externalCall.hide', { CALL_ID }, context);
    const latest = await this.seen(context);
    await this.keep(
      latest.filter((one) => !keys.includes(one)),
      context,
    );
    return told(call);
  }

  private async seen({ memo }: DeliveryContext): Promise<readonly string[]> {
    return JSON.parse((await memo.get(KEY)) ?? '[]') as string[];
  }

  private keep(seen: readonly string[], { memo }: DeliveryContext): Promise<void> {
    return memo.set(KEY, JSON.stringify(seen));
  }
}

const told = ({ id }: Registered): Delivered => ({ status: 'delivered', answer: { callId: id } });

/** By what a user's card is known; `undefined`: only his extension is known, and a card needs more. */
function keyOf(person: Person, call: Registered): string | undefined {
  if ('USER_ID' in person) return String(person.USER_ID);
  const isRegistered = 'USER_PHONE_INNER' in call.person && call.person.USER_PHONE_INNER === person.USER_PHONE_INNER;
  return isRegistered ? REGISTERED : undefined;
}
