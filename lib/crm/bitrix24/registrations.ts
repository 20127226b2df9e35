import { badAnswer } from '../errors';
import { asObject, optional, scalar } from '../json';
import type { DeliveryContext } from '../types';
import { isRefusal, type BitrixApi } from './api';
import type { Choices } from './choices';
import type { Person } from './people';

/** What a call is registered with, apart from the user. */
export interface CallFacts {
  readonly PHONE_NUMBER: string;
  readonly TYPE: 1 | 2 | 3;
  readonly CALL_START_DATE: string;
  readonly EXTERNAL_CALL_ID: string;
  readonly LINE_NUMBER?: string;
}

/** A call that Bitrix24 knows. */
export interface Registered {
  readonly id: string;
  readonly person: Person;
  /** What it says of a lead that it could not make. */
  readonly problem?: string;
}

/** `nobody`: none of them is a user of the portal. `denied`: this webhook may not register calls. */
export type Registration = Registered | 'nobody' | 'denied';

interface Kept {
  readonly asked?: CallFacts & { readonly person: Person };
  readonly registered?: Registered;
}

const KEY = 'bitrix24.call';
const METHOD = 'telephony.externalCall.register';

export const UNKNOWN_USER = /user is not found or is not active/i;

/**
 * Registers each call once. Bitrix24 gives the same call again for the same number, type, user, line and own id, as long as it is not
 * finished and began less than 30 minutes ago. So what is asked is kept before it is asked, and asked word for word again when the answer
 * was lost, by whichever event comes next.
 */
export class Registrations {
  constructor(private readonly api: BitrixApi) {}

  async known({ memo }: DeliveryContext): Promise<Registered | undefined> {
    return (await this.read(memo)).registered;
  }

  /** Registers the call for the first of these people whom Bitrix24 knows; `show`: his card opens. */
  async register(
    facts: CallFacts,
    people: readonly Person[],
    show: boolean,
    choices: Choices,
    context: DeliveryContext,
  ): Promise<Registration> {
    const { memo } = context;
    const { registered, asked } = await this.read(memo);
    if (registered !== undefined) return registered;
    const wishes = people.map((person) => ({ ...facts, person }));
    for (const wish of asked === undefined ? wishes : [asked, ...wishes]) {
      await this.write(memo, { asked: wish });
      const told = await this.ask(wish, show, choices, context);
      if (told === 'denied') return 'denied';
      if (told === 'unknown user') continue;
      await this.write(memo, { registered: told });
      return told;
    }
    await this.write(memo, {});
    return 'nobody';
  }

  /**
   * Takes a call that Bitrix24 registered itself when its user clicked a number. `false`: it was taken already, or registered in another
   * way.
   */
  async adopt(registered: Registered, { memo }: DeliveryContext): Promise<boolean> {
    if ((await memo.get(KEY)) !== undefined) return false;
    await this.write(memo, { registered });
    return true;
  }

  /** The portal knows the call no more: it is to be registered anew. */
  forget({ memo }: DeliveryContext): Promise<void> {
    return this.write(memo, {});
  }

  private async ask(
    { person, ...facts }: NonNullable<Kept['asked']>,
    show: boolean,
    { way, createLead, chat }: Choices,
    context: DeliveryContext,
  ): Promise<Registered | 'unknown user' | 'denied'> {
    const wishes = { CRM_CREATE: Number(createLead), SHOW: Number(show), ADD_TO_CHAT: Number(chat) };
    const params = { ...person, ...facts, ...wishes };
    try {
      const told =
        way === 'automatic'
          ? await this.api.callIfAllowed(METHOD, params, context)
          : await this.api.ask(METHOD, params, context);
      return told === undefined ? 'denied' : registeredIn(told.result, person);
    } catch (thrown) {
      if (isRefusal(thrown, UNKNOWN_USER)) return 'unknown user';
      throw thrown;
    }
  }

  private async read(memo: DeliveryContext['memo']): Promise<Kept> {
    return JSON.parse((await memo.get(KEY)) ?? '{}') as Kept;
  }

  private write(memo: DeliveryContext['memo'], kept: Kept): Promise<void> {
    return memo.set(KEY, JSON.stringify(kept));
  }
}

function registeredIn(result: unknown, person: Person): Registered {
  const told = asObject(result);
  const id = scalar(told.CALL_ID);
  if (id === undefined) throw badAnswer({ en: 'the call got no CALL_ID.', ru: 'звонок не получил CALL_ID.' });
  return { id, person, ...optional('problem', scalar(told.LEAD_CREATION_ERROR)) };
}
