import type { DeliverableEvent } from './types';

/** The id of an event as a header may carry it: names of PBXs are in it, and those are in any script. */
export const deliveryId = ({ payload }: DeliverableEvent): string =>
  payload.eventId.replace(/[^\x21-\x7e]/gu, (one) => encodeURIComponent(one.replace(/\p{Surrogate}/gu, '\ufffd')));
