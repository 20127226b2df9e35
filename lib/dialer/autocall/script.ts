import { AUTOCALL_CONTEXT, AutocallPlayer } from '../../agi/player';
import type { AmiValue } from '../../ami/types';
import type { Clock } from '../../clock';
import type { Log } from '../../log';
import type { AutocallScript } from '../line/script';
import type { AutocallOrder } from '../types';
import { autocallError } from './errors';

export interface DialplanScriptOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Autocalls by the shipped dialplan (`extensions_telephony_crm.conf`), over AsyncAGI: with a prompt, detection of answering
 * machines, and how much was heard. The AMI user needs `agi` in read=, `agi`, `call` and `reporting` in write=, and neither `system`
 * nor a dangerous application (measured on Asterisk 22.10 and 16.28).
 */
export function dialplanScript({ clock, log }: DialplanScriptOptions): AutocallScript {
  const players = new Set<AutocallPlayer>();
  return {
    originate: ({ order }) => ({
      headers: { Context: AUTOCALL_CONTEXT, Exten: 's', Priority: 1 },
      variables: {
        ...languageOf(order),
        TCRM_FILES: order.files.join('&'),
        ...(order.prompt === undefined ? {} : { TCRM_PROMPT: order.prompt }),
        ...(order.detectMachine ? { TCRM_AMD: 1 } : {}),
      },
    }),
    attach(client, onConfirmed, isOurs = () => true) {
      const onProblem = log.warn.bind(log);
      const player = new AutocallPlayer({ client, clock, isOurs, onConfirmed, onProblem });
      players.add(player);
      return () => {
        players.delete(player);
        player.close();
      };
    },
    resultOf(channelId) {
      for (const player of players) {
        const played = player.take(channelId);
        if (played) return played;
      }
      return undefined;
    },
  };
}

/**
 * Autocalls without any dialplan: the application Playback plays the files one after the other and hangs up. How much of them was heard
 * is not known.
 */
export function playbackScript(): AutocallScript {
  const objection = ({ prompt, detectMachine }: AutocallOrder) =>
    prompt !== undefined || detectMachine ? autocallError('AUTOCALL_NEEDS_DIALPLAN') : undefined;
  return {
    objection,
    originate({ order }) {
      const error = objection(order);
      if (error) throw error;
      return {
        headers: { Application: 'Playback', Data: order.files.join('&') },
        variables: languageOf(order),
      };
    },
    attach: () => () => undefined,
    resultOf: () => undefined,
  };
}

/** The channel speaks the language from its first moment; Originate sets functions as it sets variables (measured on both). */
function languageOf({ language }: AutocallOrder): Readonly<Record<string, AmiValue>> {
  return language === undefined ? {} : { 'CHANNEL(language)': language };
}
