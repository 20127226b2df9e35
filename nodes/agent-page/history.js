import { $, ask, element, partyOf } from './asking.js';
import { language, texts } from './texts.js';

const ARROWS = { in: '↙', out: '↗', internal: '↔' };
const LOST = ['missed', 'abandoned', 'no-answer'];

/** The calls of the day, as the store has them. Rejects as {@link ask}. */
export async function showHistory() {
  const { calls } = await ask('history');
  $('history-place').hidden = false;
  $('history-trouble').textContent = '';
  $('no-history').hidden = calls.length > 0;
  $('history').replaceChildren(...calls.map(row));
}

/** What was shown before stays. */
export function showHistoryTrouble(words) {
  $('history-place').hidden = false;
  const text = `${texts.historyUnread} ${words}`;
  // The same again need not be read aloud again.
  if ($('history-trouble').textContent !== text) $('history-trouble').textContent = text;
  if ($('history').children.length === 0) $('no-history').hidden = true;
}

export function forgetHistory() {
  $('history-place').hidden = true;
  $('history-trouble').textContent = '';
  $('history').replaceChildren();
}

function row({ startedAt, direction, client, peer, result, talkSeconds }) {
  const time = new Date(startedAt).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
  const number = client?.e164 ?? client?.number ?? peer?.extension ?? '';
  const how = result === 'failed' ? texts.failedCall : (texts[result] ?? result ?? '');
  const lasted = talkSeconds > 0 ? ` ${Math.floor(talkSeconds / 60)}:${String(talkSeconds % 60).padStart(2, '0')}` : '';
  return element(
    'li',
    { className: LOST.includes(result) ? 'lost' : '' },
    element('span', { className: 'time', textContent: time }),
    element('span', {
      className: 'way',
      role: 'img',
      ariaLabel: texts[direction] ?? '',
      textContent: ARROWS[direction] ?? '',
    }),
    element('span', { className: 'party', textContent: partyOf({ number, name: client?.name ?? peer?.name }) }),
    element('span', { className: 'state', textContent: `${how}${lasted}` }),
  );
}
