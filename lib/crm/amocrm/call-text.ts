import type { Lang } from '../../errors';
import type { CallResult, RecordPayload } from '../../messages/types';

/** `call_status`: 1 left a message, 2 call back later, 3 not there, 4 talked, 5 wrong number, 6 not reached, 7 busy. */
export function statusOf({ result, hangup }: RecordPayload): number {
  if (result === 'answered') return 4;
  if (result === 'voicemail') return 1;
  // An incoming call whose only phone was busy is missed for us; for amoCRM it has a word of its own.
  if (result === 'busy' || hangup?.code === 17) return 7;
  return result === 'failed' && (hangup?.code === 1 || hangup?.code === 28) ? 5 : 6;
}

interface Words {
  readonly waited: string;
  readonly extension: string;
  readonly queue: string;
  readonly line: string;
  readonly results: Readonly<Record<CallResult, string>>;
}

const WORDS: Readonly<Record<Lang, Words>> = {
  en: {
    waited: 'waited, s',
    extension: 'extension',
    queue: 'queue',
    line: 'own number',
    results: {
      answered: 'Answered',
      missed: 'Missed',
      busy: 'Busy',
      'no-answer': 'No answer',
      cancelled: 'Cancelled',
      failed: 'Failed',
      abandoned: 'Hung up while waiting in the queue',
      voicemail: 'Voicemail',
    },
  },
  ru: {
    waited: 'ожидание, с',
    extension: 'внутренний номер',
    queue: 'очередь',
    line: 'наш номер',
    results: {
      answered: 'Состоялся',
      missed: 'Пропущен',
      busy: 'Занято',
      'no-answer': 'Нет ответа',
      cancelled: 'Отменён',
      failed: 'Не удался',
      abandoned: 'Клиент не дождался в очереди',
      voicemail: 'Голосовая почта',
    },
  },
};

/** `call_result`: one line for a person. */
export function resultOf(payload: RecordPayload, language: Lang): string {
  const words = WORDS[language];
  const { result, waitSeconds, extension, queue, line } = payload;
  const details: (readonly [string, string | number | undefined])[] = [
    [words.waited, waitSeconds],
    [words.extension, extension],
    [words.queue, queue?.name ?? queue?.id],
    [words.line, line?.number],
  ];
  const told = details.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return [...(result === undefined ? [] : [words.results[result]]), ...told].join('; ');
}
