import type { AmiAction, AmiClient } from '../../../../lib/ami/types';
import { amiEvent } from '../../../support/ami-messages';

export const CLIENT = 'PJSIP/trunk-1';
/** Was called. */
export const PHONE = 'PJSIP/101-2';
export const COLLEAGUE = 'PJSIP/102-3';
/** Leads to a colleague who has not answered. */
export const RINGING = 'Local/102@from-internal-0000a1;1';

/** The channels of one call, and which bridge each is in; '' for none. */
export type Look = Readonly<Record<string, string>>;

/** An Asterisk that tells one look after the other, and the last one again and again; `done`: what was asked of it beside. */
export function lookingAt(...looks: readonly Look[]): { readonly client: AmiClient; readonly done: readonly string[] } {
  const left = [...looks];
  const done: string[] = [];
  const row = ([Channel, BridgeId]: readonly [string, string]) =>
    amiEvent('CoreShowChannel', {
      ...{ Channel, BridgeId, Uniqueid: Channel, Linkedid: '1.1' },
      ...{ ChannelState: Channel === RINGING ? '5' : '6', Application: Channel === PHONE ? 'AppDial' : '' },
    });
  const client = {
    list: ({ action }: AmiAction) =>
      Promise.resolve(
        action === 'CoreShowChannels' ? Object.entries((left.length > 1 ? left.shift() : left[0]) ?? {}).map(row) : [],
      ),
    action: ({ action, headers }: AmiAction) => {
      // Every place is in the dialplan; no channel has a variable.
      if (action === 'Getvar')
        return Promise.resolve(amiEvent('Success', { Value: headers?.Channel === undefined ? '1' : '' }));
      done.push([action, headers?.Exten, headers?.Context].filter(Boolean).join(' '));
      if (action === 'CancelAtxfer') left.push({ [CLIENT]: 'a', [PHONE]: 'a' });
      return Promise.resolve(amiEvent('Success'));
    },
    subscribe: () => () => undefined,
  } as unknown as AmiClient;
  return { client, done };
}
