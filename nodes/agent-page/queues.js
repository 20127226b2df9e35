import { $, ask, during, element, say, showOnly, wordsOf } from './asking.js';
import { language, texts } from './texts.js';

/** What stands for a reason of one's own in the list. */
const OTHER = '\n';

let list = [];
let onSignedOut = () => undefined;

export function beginQueues(signedOut) {
  onSignedOut = signedOut;
  $('pause-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const reason = ($('own-reason').hidden ? $('reason').value : $('own-reason').value).trim();
    order($('pause'), { action: 'pause', ...(reason === '' || reason === OTHER ? {} : { reason }) });
  });
  $('unpause').addEventListener('click', () => order($('unpause'), { action: 'unpause' }));
  $('reason').addEventListener('change', () => {
    $('own-reason').hidden = $('reason').value !== OTHER;
    if (!$('own-reason').hidden) $('own-reason').focus();
  });
}

/** What the PBX says, and nothing that was only asked for. */
export function takeQueues({ queues }) {
  $('queues-place').hidden = queues === undefined;
  if (queues === undefined) return;
  list = queues.list;
  showReasons(queues);
  const joined = list.filter((queue) => queue.joined);
  const paused = joined.filter((queue) => queue.paused);
  const isAway = joined.length > 0 && paused.length === joined.length;
  const words = presence(queues.ready, joined, paused);
  if ($('presence').textContent !== words) {
    $('presence').textContent = words;
    say(words);
  }
  $('presence').className = isAway ? 'away' : joined.length > 0 && queues.ready ? 'there' : 'gone';
  const needsReason = joined.length > 0 && !isAway;
  const { reasons, freeReason } = queues;
  showOnly(
    [$('pause'), $('unpause')],
    ({ id }) => (id === 'pause' ? needsReason : paused.length > 0),
    $('queues-title'),
  );
  $('reason').hidden = $('reason').previousElementSibling.hidden = !needsReason || reasons.length === 0;
  $('own-reason').hidden = !needsReason || !freeReason || (reasons.length > 0 && $('reason').value !== OTHER);
  $('pause-form').hidden = joined.length === 0;
  showQueues();
}

function presence(ready, joined, paused) {
  if (!ready) return texts.queuesUnknown;
  if (joined.length === 0) return list.length === 0 ? texts.noQueues : texts.inNoQueue;
  if (paused.length === 0) return texts.available;
  const [{ reason, pausedAt }] = paused;
  const since = pausedAt && new Date(pausedAt).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
  const about = [reason, since].filter(Boolean).join(', ');
  const what =
    paused.length === joined.length ? texts.paused : `${texts.pausedIn} ${paused.map(({ id }) => id).join(', ')}`;
  return about === '' ? what : `${what} (${about})`;
}

function showReasons({ reasons, freeReason }) {
  const wanted = [...reasons, ...(freeReason && reasons.length > 0 ? [OTHER] : [])];
  const now = [...$('reason').options].map(({ value }) => value);
  if (wanted.length === now.length && wanted.every((reason, index) => reason === now[index])) return;
  $('reason').replaceChildren(
    ...wanted.map((value) => element('option', { value, textContent: value === OTHER ? texts.otherReason : value })),
  );
}

function showQueues() {
  const some = (what) => list.some((queue) => queue.may === what);
  const rows = list.map((queue) => ({ ...queue, key: queue.id }));
  if (list.length > 1) {
    const [join, leave] = [some('join'), some('leave')];
    const may = join ? 'join' : leave ? 'leave' : 'none';
    rows.unshift({ key: '', id: '', joined: !join, paused: false, may });
  }
  const places = new Map([...$('queues').children].map((place) => [place.dataset.queue, place]));
  for (const [key, place] of places) if (!rows.some((row) => row.key === key)) place.remove();
  for (const row of rows) {
    const place = places.get(row.key) ?? $('queues').appendChild(newRow(row.key));
    updateRow(place, row);
    // In the order of the list; who stands on a button there stays on it.
    if (place !== $('queues').children[rows.indexOf(row)]) $('queues').append(place);
  }
}

function newRow(key) {
  const button = element('button', { type: 'button' });
  const place = element(
    'li',
    {},
    element('span', { className: 'name' }),
    element('span', { className: 'state' }),
    button,
  );
  place.dataset.queue = key;
  // Which all of them are, the server knows better.
  const which = key === '' ? { all: true } : { queue: key };
  button.addEventListener('click', () => order(button, { action: button.dataset.action, ...which }));
  return place;
}

function updateRow(place, { id, joined, may, paused }) {
  const [name, state, button] = place.children;
  const action = may === 'join' ? 'queue-login' : 'queue-logout';
  const forAll = may === 'join' ? texts.joinAll : texts.leaveAll;
  name.textContent = id;
  state.textContent =
    id === '' || !joined
      ? ''
      : [paused ? texts.paused : texts.joined, may === 'none' ? texts.fixed : ''].filter(Boolean).join(', ');
  place.className = `queue ${joined ? (paused ? 'away' : 'there') : ''}`;
  button.hidden = may === 'none';
  button.textContent = id === '' ? forAll : texts[action];
  button.ariaLabel = id === '' ? forAll : `${texts[action]}: ${id}`;
  button.dataset.action = action;
}

function order(button, wanted) {
  return during(button, async () => {
    $('queue-trouble').textContent = '';
    try {
      await ask('act', wanted);
    } catch (error) {
      if (error.status === 401) onSignedOut();
      else $('queue-trouble').textContent = wordsOf(error);
    }
  });
}
