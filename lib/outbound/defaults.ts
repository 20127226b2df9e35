import type { DialSettings } from './types';

/** What an `ami-config` says of calls out as long as nobody wrote anything else. */
export const DEFAULT_DIALLING: DialSettings = {
  agentChannel: 'PJSIP/{extension}',
  context: 'from-internal',
  channels: [],
  dialAs: 'dialled',
  autoAnswer: 'off',
  allow: [],
  deny: [],
  perMinute: 60,
  perCaller: 10,
  hold: 'redirect',
  addresses: new Map(),
};
