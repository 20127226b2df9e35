import type { Lang } from '../../errors';
import type { CallResult, RecordPayload } from '../../messages/types';

interface Words {
  readonly to: string;
  readonly from: string;
  readonly missed: string;
  readonly result: string;
  readonly talked: string;
  readonly extension: string;
  readonly line: string;
  readonly recording: string;
  readonly results: Readonly<Record<CallResult, string>>;
}

const WORDS: Readonly<Record<Lang, Words>> = {
  en: {
    to: 'Call to',
    from: 'Call from',
    missed: 'Missed call from',
    result: 'Result',
    talked: 'Talked, s',
    extension: 'Extension',
    line: 'Own number',
    recording: 'Recording',
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
  },
  ru: {
    to: 'Звонок на',
    from: 'Звонок от',
    missed: 'Пропущенный звонок от',
    result: 'Итог',
    talked: 'Разговор, с',
    extension: 'Внутренний номер',
    line: 'Наш номер',
    recording: 'Запись',
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
  },
};

/** `SUBJECT` and `DESCRIPTION` of the activity for a call; `link`: where its recording is. */
export function activityText(payload: RecordPayload, language: Lang, link: string | undefined) {
  const words = WORDS[language];
  const { direction, result, client, talkSeconds, extension, line } = payload;
  const kind = direction === 'out' ? words.to : result === 'answered' ? words.from : words.missed;
  const lines: (readonly [string, string | number | undefined])[] = [
    [words.result, result && words.results[result]],
    [words.talked, result === 'answered' ? talkSeconds : undefined],
    [words.extension, extension],
    [words.line, line?.number],
    [words.recording, link],
  ];
  return {
    SUBJECT: `${kind} ${client?.e164 ?? client?.number ?? ''}`.trim(),
    DESCRIPTION: lines.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])).join('\n'),
  };
}
