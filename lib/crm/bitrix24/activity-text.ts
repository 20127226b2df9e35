import type { Lang } from '../../errors';
import type { RecordPayload } from '../../messages/types';
import { CALL_WORDS, callTitle, capital, labelled } from '../call-words';

/** `SUBJECT` and `DESCRIPTION` of the activity for a call; `link`: where its recording is. */
export function activityText(payload: RecordPayload, language: Lang, link: string | undefined) {
  const words = CALL_WORDS[language];
  const { result, talkSeconds, extension, line } = payload;
  const lines = labelled(
    [words.result, result && words.results[result]],
    [words.talked, result === 'answered' ? talkSeconds : undefined],
    [words.extension, extension],
    [words.line, line?.number],
    [words.recording, link],
  );
  return { SUBJECT: callTitle(payload, language), DESCRIPTION: lines.map(capital).join('\n') };
}
