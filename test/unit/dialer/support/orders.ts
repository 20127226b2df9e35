import type { Attempt, AutocallOrder, ClickOrder, Order, PlainOrder } from '../../../../lib/dialer/types';

/** Long after every clock of the tests. */
const NEVER = Date.UTC(2100, 0, 1);

const base = { expiresAt: NEVER, priority: 0, tries: 1, periodMs: 1000, variables: {} } as const;

const click = { ...base, mode: 'click', extension: '101', number: '8 903 123-45-67' } as const;

export const clickOrder = (more: Partial<ClickOrder> = {}): ClickOrder => ({ ...click, e164: '+79031234567', ...more });

/** A click on an extension. */
export const colleague = (number: string): ClickOrder => ({ ...click, number });

export const autocallOrder = (more: Partial<AutocallOrder> = {}): AutocallOrder => ({
  ...base,
  mode: 'autocall',
  number: '89031234567',
  e164: '+79031234567',
  files: ['car-is-here', 'thank-you'],
  detectMachine: false,
  triesOf: {},
  timeZones: ['Europe/Moscow'],
  ...more,
});

export const plainOrder = (more: Partial<PlainOrder> = {}): PlainOrder => ({
  ...base,
  mode: 'plain',
  channel: 'PJSIP/101',
  to: { context: 'from-internal', exten: '102', priority: 1 },
  ringMs: 20_000,
  ...more,
});

export const attemptOf = (order: Order, channelId = 'tcrm-abcdefgh-1-1'): Attempt => ({
  orderId: 1,
  try: 1,
  channelId,
  startedAt: 0,
  dialBefore: order.expiresAt,
  order,
});
