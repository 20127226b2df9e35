import type { Lang } from '../errors';
import type { CallResult, RecordPayload } from '../messages/types';
import { clientText } from './numbers';

/** How a call is described to the people who read the CRM. */
interface CallWords {
  readonly results: Readonly<Record<CallResult, string>>;
  readonly result: string;
  readonly waited: string;
  readonly talked: string;
  readonly extension: string;
  readonly extensions: string;
  readonly line: string;
  readonly queue: string;
  readonly recording: string;
  readonly title: {
    readonly to: string;
    readonly from: string;
    readonly missed: string;
    readonly unknown: string;
    readonly withheld: string;
  };
}

export const CALL_WORDS: Readonly<Record<Lang, CallWords>> = {
  en: {
    results: {
      answered: 'answered',
      missed: 'missed',
      busy: 'busy',
      'no-answer': 'no answer',
      cancelled: 'cancelled',
      failed: 'failed',
      abandoned: 'hung up while waiting in the queue',
      voicemail: 'voicemail',
    },
    result: 'result',
    waited: 'waited, s',
    talked: 'talked, s',
    extension: 'extension',
    extensions: 'extensions',
    line: 'own number',
    queue: 'queue',
    recording: 'recording',
    title: {
      to: 'Call to',
      from: 'Call from',
      missed: 'Missed call from',
      unknown: 'an unknown number',
      withheld: 'a withheld number',
    },
  },
  ru: {
    results: {
      answered: 'состоялся',
      missed: 'пропущен',
      busy: 'занято',
      'no-answer': 'нет ответа',
      cancelled: 'отменён',
      failed: 'не удался',
      abandoned: 'клиент не дождался в очереди',
      voicemail: 'голосовая почта',
    },
    result: 'итог',
    waited: 'ожидание, с',
    talked: 'разговор, с',
    extension: 'внутренний номер',
    extensions: 'внутренние номера',
    line: 'наш номер',
    queue: 'очередь',
    recording: 'запись',
    title: {
      to: 'Звонок на',
      from: 'Звонок от',
      missed: 'Пропущенный звонок от',
      unknown: 'неизвестный номер',
      withheld: 'скрытого номера',
    },
  },
};

/** `Missed call from +74951343060`. */
export function callTitle({ direction, result, client }: RecordPayload, language: Lang): string {
  const { title } = CALL_WORDS[language];
  const number = clientText(client);
  if (direction === 'out') return `${title.to} ${number ?? title.unknown}`;
  return `${result === 'answered' ? title.from : title.missed} ${number ?? title.withheld}`;
}

/** `name: value` for each value that there is. */
export const labelled = (...pairs: (readonly [string, string | number | undefined])[]): string[] =>
  pairs.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}: ${value}`]));

/** The text with a capital at its beginning. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
