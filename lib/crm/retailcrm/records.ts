import { TelephonyError } from '../../errors';
import type { RecordPayload } from '../../messages/types';
import { recordingLink, SKIPPED } from '../call-record';
import { crmError } from '../errors';
import { optional, scalar, type JsonObject } from '../json';
import type { Delivered, DeliveryContext } from '../types';
import { wordsOf, type RetailApi } from './api';
import type { Choices } from './choices';
import { chosenPerson, externalIdOf, phoneOf, placeOf, responsibleOf, resultOf, type Person } from './facts';
import { localTime, type AccountZone } from './time';

/** Lists of what was not taken, as other uploads of retailCRM name theirs; for calls such a list is not confirmed. */
const FAILED = ['notUploadedCalls', 'failedCalls'];

/** Uploads each call once. */
export class RetailRecords {
  constructor(
    private readonly api: RetailApi,
    private readonly zone: AccountZone,
  ) {}

  /** retailCRM knows a call again by its `externalId`: a call whose answer was lost is sent again, and told to be a duplicate. */
  async write(payload: RecordPayload, choices: Choices, context: DeliveryContext): Promise<Delivered> {
    const phone = phoneOf(payload);
    if (phone === undefined) return SKIPPED;
    const timeZone = choices.timeZone || (await this.zone.ask(context));
    const url = choices.recordingLink ? recordingLink(payload.recording, context) : undefined;
    const isAnswered = payload.result === 'answered';
    const call = {
      date: localTime(payload.startedAt, timeZone),
      type: payload.direction,
      phone,
      result: resultOf(payload),
      duration: isAnswered ? (payload.talkSeconds ?? 0) : 0,
      durationWaiting: payload.waitSeconds ?? 0,
      externalId: externalIdOf(payload),
      ...optional('recordUrl', url),
      ...placeOf(payload, choices),
    };
    const person = responsibleOf(payload, context);
    const chosen = chosenPerson(choices);
    try {
      return await this.upload(call, person ?? chosen, context);
    } catch (thrown) {
      // What retailCRM says to an extension that it does not know is not confirmed: the call goes to the chosen user.
      const mayBeUnknown = person !== undefined && 'code' in person && chosen !== undefined;
      if (!(mayBeUnknown && thrown instanceof TelephonyError && thrown.code === 'CRM_REFUSED')) throw thrown;
      return this.upload(call, chosen, context);
    }
  }

  private async upload(
    call: JsonObject & { readonly externalId: string },
    person: Person | undefined,
    context: DeliveryContext,
  ): Promise<Delivered> {
    const { externalId } = call;
    const answer = await this.api.post('telephony/calls/upload', { calls: [{ ...call, ...person }] }, context);
    const isDuplicate = isFilled(answer.duplicateCalls);
    const isMissing = scalar(answer.processedCallsCount) === '0' || FAILED.some((name) => isFilled(answer[name]));
    if (isMissing && !isDuplicate) {
      const words = wordsOf(answer) || JSON.stringify(answer).slice(0, 200);
      throw crmError('CRM_REFUSED', { host: new URL(this.api.origin).host, status: 200, words });
    }
    return { status: 'delivered', answer: { externalId, ...(isDuplicate ? { duplicate: true } : {}) } };
  }
}

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0;
