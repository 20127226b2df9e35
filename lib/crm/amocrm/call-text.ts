import type { Lang } from '../../errors';
import type { RecordPayload } from '../../messages/types';
import { CALL_WORDS, capital, labelled } from '../call-words';

/** `call_status`: 1 left a message, 2 call back later, 3 not there, 4 talked, 5 wrong number, 6 not reached, 7 busy. */
export function statusOf({ result, hangup }: RecordPayload): number {
  if (result === 'answered') return 4;
  if (result === 'voicemail') return 1;
  // An incoming call whose only phone was busy is missed for us; for amoCRM it has a word of its own.
  if (result === 'busy' || hangup?.code === 17) return 7;
  return result === 'failed' && (hangup?.code === 1 || hangup?.code === 28) ? 5 : 6;
}

/** `call_result`: one line for a person. */
export function resultOf({ result, waitSeconds, extension, queue, line }: RecordPayload, language: Lang): string {
  const words = CALL_WORDS[language];
  const details = labelled(
    [words.waited, waitSeconds],
    [words.extension, extension],
    [words.queue, queue?.name ?? queue?.id],
    [words.line, line?.number],
  );
  return result === undefined ? details.join('; ') : capital([words.results[result], ...details].join('; '));
}
