import { systemClock } from '../../../../lib/clock';
import { createCrmHttp, type ClosableCrmHttp } from '../../../../lib/crm/http';
import { crmKind } from '../../../../lib/crm/kinds';
import { createLimiter } from '../../../../lib/crm/limiter';
import type {
  CrmAdapter,
  Delivered,
  DeliverableEvent,
  DeliveryContext,
  PbxEvent,
  SecretSlot,
} from '../../../../lib/crm/types';
import type { CallPayload, CallTopic, RecordPayload, UserChange } from '../../../../lib/messages/types';

/** An incoming call that 101 answered after 12 s and that lasted 95 s. */
export const record = (more: Partial<RecordPayload> = {}): PbxEvent => ({
  topic: 'call_record',
  payload: {
    eventId: 'Офис:1795201200.15:record',
    pbx: 'Офис',
    callId: '1795201200.15',
    direction: 'in',
    client: { number: '84951343060', e164: '+74951343060', national: '4951343060' },
    extension: '101',
    line: { number: '84951112233', trunk: 'provider' },
    startedAt: '2026-11-20T19:00:00.250Z',
    answeredAt: '2026-11-20T19:00:12.250Z',
    endedAt: '2026-11-20T19:01:35.250Z',
    waitSeconds: 12,
    talkSeconds: 83,
    holdSeconds: 5,
    result: 'answered',
    hangup: { code: 16, text: 'Normal Clearing', by: 'client' },
    rung: ['102', '101'],
    talked: ['101'],
    legs: [],
    firstExtension: '101',
    lastExtension: '101',
    ...more,
  },
});

/** What happens to 101 in that call. */
export const legEvent = (topic: Exclude<CallTopic, 'call_record'>, more: Partial<CallPayload> = {}): PbxEvent => ({
  topic,
  payload: {
    eventId: `Офис:1795201200.15:${topic}:1795201201.17`,
    pbx: 'Офис',
    callId: '1795201200.15',
    legId: '1795201201.17',
    direction: 'in',
    client: { number: '84951343060', e164: '+74951343060', national: '4951343060' },
    extension: '101',
    line: { number: '84951112233', trunk: 'provider' },
    startedAt: '2026-11-20T19:00:00.250Z',
    ...more,
  },
});

export const userChange = (more: Partial<UserChange['payload']> = {}): UserChange => ({
  topic: 'user_change',
  payload: {
    eventId: 'u1',
    pbx: 'Офис',
    extension: '101',
    state: 'idle',
    previous: 'offline',
    at: '2026-11-20T19:00:00.000Z',
    ...more,
  },
});

/** The table: 101 and 102 have users, nobody else has. */
const USERS: Readonly<Record<string, string>> = { '101': '3', '102': '4' };

/** One adapter over a real connection, and what surrounds its deliveries. */
export class Desk {
  /** What is on disk about the call. */
  readonly memo = new Map<string, string>();
  readonly adapter: CrmAdapter;
  private readonly http: ClosableCrmHttp;

  constructor(
    kind: string,
    settings: Readonly<Record<string, unknown>>,
    secrets: Partial<Record<SecretSlot, string>>,
    private readonly users: Readonly<Record<string, string>> = USERS,
  ) {
    const limiter = createLimiter({ perSecond: 1000, burst: 1000 }, systemClock);
    this.http = createCrmHttp({ clock: systemClock, limiter, secrets: Object.values(secrets) });
    this.adapter = crmKind(kind).create(settings, secrets, this.http);
  }

  get context() {
    return { signal: AbortSignal.timeout(50_000) };
  }

  deliver(
    event: DeliverableEvent,
    settings: Readonly<Record<string, unknown>> = {},
    more: Partial<DeliveryContext> = {},
  ): Promise<Delivered> {
    const deliver = this.adapter.deliver?.bind(this.adapter);
    if (deliver === undefined) throw new Error('this kind takes no events');
    return deliver(event, {
      ...this.context,
      settings,
      attempt: 1,
      memo: {
        get: (key) => Promise.resolve(this.memo.get(key)),
        set: (key, value) => Promise.resolve(void this.memo.set(key, value)),
      },
      userOf: (extension) => {
        const userId = this.users[extension];
        return userId === undefined ? undefined : { extension, userId };
      },
      recordings: {
        link: (file) => `https://pbx.example.com/rec/${encodeURIComponent(file)}`,
        read: () => Promise.reject(new Error('nobody reads it here')),
      },
      ...more,
    });
  }

  close(): void {
    this.http.close();
  }
}
