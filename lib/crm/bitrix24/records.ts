import type { RecordPayload } from '../../messages/types';
import { noUserError } from '../call-record';
import { asObject, optional, scalar, type JsonObject } from '../json';
import type { Delivered, DeliveryContext } from '../types';
import type { BitrixActivities } from './activities';
import { isRefusal, type BitrixApi } from './api';
import type { BitrixCards } from './cards';
import type { Choices } from './choices';
import { outcomeOf } from './codes';
import type { Person } from './people';
import { BitrixRecordings } from './recordings';
import { UNKNOWN_USER, type CallFacts, type Registered, type Registrations } from './registrations';

/** What is kept of the end of a call. */
interface End {
  /** The CALL_ID that was about to be finished. */
  readonly finishing?: string;
  readonly finished?: JsonObject & { readonly callId: string };
}

const KEY = 'bitrix24.end';
const GONE = /call is not found/i;
const NOT_FINISHED = /not found in the statistic/i;

/**
 * Writes each call into the telephony of Bitrix24 once: registered (if it is not yet), finished, and its recording attached.
 *
 * A finished call leaves the table of calls, so a second `finish` is refused. When the answer to the first was lost, or this process ended
 * before it was kept, the refusal alone does not tell whether it was done: the statistics are asked, by the question where to upload a
 * recording, which changes nothing.
 */
export class BitrixRecords {
  private readonly recordings: BitrixRecordings;

  constructor(
    private readonly api: BitrixApi,
    private readonly registrations: Registrations,
    private readonly cards: BitrixCards,
    private readonly activities: BitrixActivities,
  ) {
    this.recordings = new BitrixRecordings(api);
  }

  /** `people`: to whom the call may be counted, the best first. */
  async write(
    payload: RecordPayload,
    facts: CallFacts,
    people: readonly Person[],
    choices: Choices,
    context: DeliveryContext,
  ): Promise<Delivered> {
    if (choices.way === 'activity' || (await this.activities.isBegun(context))) {
      return this.activities.write(payload, choices, context);
    }
    const { finished } = await this.read(context);
    const end = finished ?? (await this.finish(payload, facts, people, choices, context));
    if (end === 'denied') return this.activities.write(payload, choices, context);
    const recording = await this.recordings.attach(end.callId, payload.recording, choices.recording, context);
    return { status: 'delivered', answer: { ...end, ...optional('recording', recording) } };
  }

  private async finish(
    payload: RecordPayload,
    facts: CallFacts,
    people: readonly Person[],
    choices: Choices,
    context: DeliveryContext,
  ): Promise<NonNullable<End['finished']> | 'denied'> {
    const nobody = () => noUserError(payload);
    for (let isAgain = false; ; isAgain = true) {
      const call = await this.registrations.register(facts, people, false, choices, context);
      if (call === 'denied') return 'denied';
      if (call === 'nobody') throw nobody();
      await this.cards.leaveTo(call, people[0], context);
      const { finishing } = await this.read(context);
      await this.keep({ finishing: call.id }, context);
      try {
        const told = await this.finishFor(
          call,
          people,
          { ...outcomeOf(payload), ADD_TO_CHAT: Number(choices.chat) },
          context,
        );
        if (told === undefined) throw nobody();
        return await this.done(call, told, context);
      } catch (thrown) {
        if (!isRefusal(thrown, GONE)) throw thrown;
        if (finishing === call.id && (await this.isFinished(call.id, context))) return this.done(call, {}, context);
        if (isAgain) throw thrown;
        // The portal lost the registration, or an older portal took another call of the same people for this one.
        await this.registrations.forget(context);
      }
    }
  }

  /** `undefined`: Bitrix24 knows none of these people. */
  private async finishFor(
    { id }: Registered,
    people: readonly Person[],
    outcome: JsonObject,
    context: DeliveryContext,
  ): Promise<JsonObject | undefined> {
    for (const person of people) {
      try {
        const params = { CALL_ID: id, ...person, ...outcome };
        const told = await this.api.call('telephony.externalCall.finish', params, context);
        return asObject(told);
      } catch (thrown) {
        if (!isRefusal(thrown, UNKNOWN_USER)) throw thrown;
      }
    }
    return undefined;
  }

  private async isFinished(callId: string, context: DeliveryContext): Promise<boolean> {
    try {
      const params = { CALL_ID: callId, FILENAME: 'recording.wav' };
      await this.api.call('telephony.externalCall.attachRecord', params, context);
      return true;
    } catch (thrown) {
      if (isRefusal(thrown, NOT_FINISHED)) return false;
      throw thrown;
    }
  }

  private async done(
    { id, problem }: Registered,
    told: JsonObject,
    context: DeliveryContext,
  ): Promise<NonNullable<End['finished']>> {
    const errors = scalar(asObject(told.ERRORS).ACTIVITY_CREATION);
    const [type, entityId] = [scalar(told.CRM_ENTITY_TYPE)?.toLowerCase(), scalar(told.CRM_ENTITY_ID)];
    const finished = {
      callId: id,
      ...optional('activityId', scalar(told.CRM_ACTIVITY_ID)),
      ...(type !== undefined && entityId !== undefined
        ? { entity: { type, id: entityId, url: this.api.card(type, entityId) } }
        : {}),
      ...optional('problem', problem ?? errors),
    };
    await this.keep({ finished }, context);
    return finished;
  }

  private async read({ memo }: DeliveryContext): Promise<End> {
    return JSON.parse((await memo.get(KEY)) ?? '{}') as End;
  }

  private keep(end: End, { memo }: DeliveryContext): Promise<void> {
    return memo.set(KEY, JSON.stringify(end));
  }
}
