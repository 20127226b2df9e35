import type { FinesseDialog, FinesseParticipant } from './types';
import { child, textIn } from './xml';
import type { XmlElement } from './xml';

function participant(element: XmlElement): FinesseParticipant {
  const cause = textIn(element, 'stateCause');
  const startedAt = Date.parse(textIn(element, 'startTime'));
  return {
    address: textIn(element, 'mediaAddress'),
    state: textIn(element, 'state'),
    ...(cause === '' ? {} : { cause }),
    ...(Number.isNaN(startedAt) ? {} : { startedAt }),
  };
}

const named = (element: XmlElement | undefined, name: string): readonly XmlElement[] =>
  element?.children.filter((one) => one.name === name) ?? [];

/** The calls in the answer to `GET User/<id>/Dialogs`; those without an id are none. */
export function readDialogs(root: XmlElement): FinesseDialog[] {
  return named(root, 'Dialog')
    .map((element) => ({
      id: textIn(element, 'id'),
      from: textIn(element, 'fromAddress'),
      to: textIn(element, 'toAddress'),
      dialled: textIn(child(element, 'mediaProperties'), 'dialedNumber'),
      state: textIn(element, 'state'),
      participants: named(child(element, 'participants'), 'Participant').map(participant),
    }))
    .filter(({ id }) => id !== '');
}

const digits = (number: string): string => number.replace(/\D/g, '');

/** The shortest number of which an end is enough to know it: CUCM takes off prefixes, and puts others before. */
const SHORTEST_END = 5;

function isSameNumber(one: string, other: string): boolean {
  const [short = '', long = ''] = [digits(one), digits(other)].sort((left, right) => left.length - right.length);
  return short !== '' && (short === long || (short.length >= SHORTEST_END && long.endsWith(short)));
}

/** Whether this is a call from that extension to that number, whoever began it and when. */
export const isCallOf = (dialog: FinesseDialog, extension: string, to: string): boolean =>
  dialog.from === extension && (isSameNumber(dialog.to, to) || isSameNumber(dialog.dialled, to));

const legOf = (dialog: FinesseDialog, extension: string): FinesseParticipant | undefined =>
  dialog.participants.find(({ address }) => address === extension);

/** When the agent's leg began by the clock of the server, in ms. */
export const beganAt = (dialog: FinesseDialog, extension: string): number | undefined =>
  legOf(dialog, extension)?.startedAt;

/** States in which a call leaves the phone free for another one. */
const AWAY = new Set(['HELD', 'DROPPED', 'WRAP_UP']);

/** Whether the agent is so busy with this call that he cannot begin another. */
export function occupies(dialog: FinesseDialog, extension: string): boolean {
  const leg = legOf(dialog, extension);
  return dialog.state !== 'DROPPED' && !AWAY.has(leg?.state ?? '');
}

/** How far a call out has come. */
export type Progress =
  | { readonly stage: 'off-hook' | 'dialled' | 'client-ringing' | 'answered' | 'over' }
  /** `cause`: see {@link FinesseParticipant.cause}. */
  | { readonly stage: 'failed'; readonly cause: string };

const CONNECTED = new Set(['ACTIVE', 'HELD']);
const NOT_YET = new Set(['INITIATING', 'INITIATED', 'ALERTING']);

/**
 * Reads the stage off the states, by the table "Outgoing Call" of the Finesse developer guide 12.5 (CTI event mappings): the agent's own
 * leg becomes ACTIVE only when the called side answers; before it rings, and with some trunks always, that side is no participant.
 */
export function progressOf(dialog: FinesseDialog, extension: string): Progress {
  const leg = legOf(dialog, extension);
  const others = dialog.participants.filter((one) => one !== leg);
  if (dialog.state === 'FAILED' || leg?.state === 'FAILED') {
    return { stage: 'failed', cause: [leg, ...others].find((one) => one?.cause !== undefined)?.cause ?? 'OTHER' };
  }
  if (dialog.state === 'DROPPED' || leg?.state === 'DROPPED' || leg?.state === 'WRAP_UP') return { stage: 'over' };
  const isAnswered = dialog.state === 'ACTIVE' && (leg === undefined || CONNECTED.has(leg.state));
  if (isAnswered && !others.some(({ state }) => NOT_YET.has(state))) return { stage: 'answered' };
  if (dialog.state === 'ALERTING' || others.some(({ state }) => state === 'ALERTING')) {
    return { stage: 'client-ringing' };
  }
  return { stage: (leg?.state ?? dialog.state) === 'INITIATING' ? 'off-hook' : 'dialled' };
}
