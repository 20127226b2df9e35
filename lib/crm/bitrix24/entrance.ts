import { badSettings } from '../errors';
import type { JsonObject } from '../json';
import type { CallContext } from '../types';

/** What one request needs to be let in. */
export interface Pass {
  /** Where the methods are, with a slash at the end. */
  readonly base: string;
  /** Goes with the parameters of the method. */
  readonly params: JsonObject;
  /** What no error may quote. */
  readonly secrets: readonly string[];
}

/** How an account gets into its portal: all that differs between an inbound webhook and a local application. */
export interface Entrance {
  /** `https://company.bitrix24.ru`, without a slash at the end. */
  readonly portal: string;
  /** Rejects with `CRM_SIGNED_OUT` when only a person can get a new one. */
  pass(context: CallContext): Promise<Pass>;
  /** Another pass after the portal called this one expired; absent: it never expires. */
  renew?(expired: Pass, context: CallContext): Promise<Pass>;
}

/** An inbound webhook: its address holds all that is needed, the key too. `token`: the address as it is copied, with a method at its end or without. */
export function webhookEntrance(token: string): Entrance {
  const [, portal, userId, code] =
    /^(https?:\/\/[^/?#\s@]+)\/rest\/(\d+)\/([^/?#\s]+)(?:\/|$)/.exec(token.trim()) ?? [];
  if (portal === undefined || userId === undefined || code === undefined) {
    throw badSettings('token', {
      en: 'copy the whole address of an inbound webhook. It looks like https://company.bitrix24.com/rest/1/…/',
      ru: 'скопируйте адрес входящего вебхука целиком. Он выглядит так: https://company.bitrix24.ru/rest/1/…/',
    });
  }
  const pass: Pass = { base: `${portal}/rest/${userId}/${code}/`, params: {}, secrets: [code] };
  return { portal, pass: () => Promise.resolve(pass) };
}
