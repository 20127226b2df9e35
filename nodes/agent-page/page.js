import { beginAlerts, offerAlerts } from './alerts.js';
import { $, ask, during, element, wordsOf } from './asking.js';
import { beginCalls, endCall, forgetCalls, takeCall, takeCalls } from './calls.js';
import { forgetCard, showCard } from './card.js';
import { forgetHistory, showHistory } from './history.js';
import { beginQueues, takeQueues } from './queues.js';
import { language, texts } from './texts.js';

const RETRY_MS = 3000;
/** The record is made a little later than the call ends. */
const RECORD_MS = 4000;
const MAX_SEEN = 500;
const MAX_NOTES = 20;

/** Events that were shown already, so that a repetition is not. */
const seen = new Set();
/** The last event that came: what the server repeats from, after a connection of our own making. */
let lastId = '';
let source;
let retry;
let extension;
let hasHistory = false;
/** Other tabs of this browser share the session, which is one of this path. */
const others = 'BroadcastChannel' in window ? new BroadcastChannel(`telephony-agent ${location.pathname}`) : undefined;

document.documentElement.lang = language;
document.title = texts.title;
for (const place of document.querySelectorAll('[data-text]')) place.textContent = texts[place.dataset.text];
for (const place of document.querySelectorAll('[data-title]')) place.title = texts[place.dataset.title];
for (const place of document.querySelectorAll('[data-label]')) {
  place.ariaLabel = place.placeholder = texts[place.dataset.label];
}

/* Signing in and out. */

function showSignIn(refusal = '') {
  source?.close();
  clearTimeout(retry);
  forgetAgent();
  $('desk').hidden = $('sign-out').hidden = true;
  offerAlerts(false);
  $('sign-in').hidden = false;
  $('refusal').textContent = refusal;
  for (const field of [$('extension'), $('pin')]) field.ariaInvalid = refusal === '' ? null : 'true';
  for (const place of ['who', 'link', 'sign-out-trouble']) $(place).textContent = '';
  $('pin').value = '';
  (refusal === '' || $('extension').value === '' ? $('extension') : $('pin')).focus();
}

/** Whoever signs in next is not shown what his predecessor saw. */
function forgetAgent() {
  extension = undefined;
  lastId = '';
  forgetCalls();
  forgetCard();
  forgetHistory();
  $('notes').replaceChildren();
  $('notes-place').hidden = true;
}

async function enter(how) {
  try {
    await ask('session', how);
    others?.postMessage('signed in');
    connect();
  } catch (error) {
    showSignIn(wordsOf(error));
  }
}

$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  during($('enter'), () => enter({ extension: $('extension').value, pin: $('pin').value }));
});

$('sign-out').addEventListener('click', () =>
  during($('sign-out'), async () => {
    try {
      await ask('sign-out', {});
    } catch (error) {
      // The session is alive still: whoever opens the page next would be this agent.
      if (error.status !== 401) {
        $('sign-out-trouble').textContent = texts.notSignedOut;
        return;
      }
    }
    others?.postMessage('signed out');
    showSignIn();
  }),
);

others?.addEventListener('message', ({ data }) => {
  if (data === 'signed out') showSignIn();
  else connect();
});

/* The feed. */

function connect() {
  source?.close();
  clearTimeout(retry);
  $('link').textContent ||= texts.connecting;
  source = new EventSource(lastId === '' ? 'events' : `events?after=${encodeURIComponent(lastId)}`);
  let isFirst = true;
  source.addEventListener('state', ({ data }) => {
    showState(JSON.parse(data));
    if (isFirst) refreshHistory();
    isFirst = false;
  });
  on('call', ({ call }) => takeCall(call));
  on('end', ({ legId }) => {
    endCall(legId);
    setTimeout(refreshHistory, RECORD_MS);
  });
  on('pop', (pop) => showCard(pop, true));
  on('note', ({ text, at }) => {
    const time = new Date(at).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
    $('notes-place').hidden = false;
    $('notes').prepend(element('li', {}, element('span', { className: 'time', textContent: time }), text));
    while ($('notes').children.length > MAX_NOTES) $('notes').lastChild.remove();
  });
  source.addEventListener('open', () => (isFirst = true));
  source.addEventListener('error', lost);
}

function on(name, handle) {
  source.addEventListener(name, ({ data, lastEventId }) => {
    if (lastEventId !== '') lastId = lastEventId;
    const told = JSON.parse(data);
    // After a restart of the server a call may be told once more.
    const id = told.eventId ?? (name === 'note' ? lastEventId : '');
    if (id !== '' && seen.has(id)) return;
    seen.add(id);
    if (seen.size > MAX_SEEN) seen.delete(seen.values().next().value);
    handle(told);
  });
}

/** The browser connects again by itself, except after a refusal: then the server is asked why. */
async function lost() {
  $('link').textContent = texts.offline;
  const failed = source;
  if (failed.readyState !== EventSource.CLOSED) return;
  try {
    await ask('session');
  } catch (error) {
    if (failed !== source) return;
    if (error.status === 401) {
      showSignIn();
      return;
    }
    if (error.status === 429) $('link').textContent = error.message;
  }
  if (failed !== source) return;
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_MS);
}

/* What holds. */

function showState(state) {
  if (extension !== undefined && extension !== state.extension) forgetAgent();
  const isNew = extension === undefined;
  extension = state.extension;
  $('sign-in').hidden = true;
  $('desk').hidden = $('sign-out').hidden = false;
  $('pin').value = '';
  offerAlerts(true);
  $('link').textContent = state.ready ? '' : texts.noPbx;
  $('who').textContent = state.name === undefined ? state.extension : `${state.extension} ${state.name}`;
  hasHistory = state.history;
  takeCalls(state);
  takeQueues(state);
  if (state.card) showCard(state.card, false);
  if (isNew && document.activeElement === document.body) $('calls-title').focus();
}

async function refreshHistory() {
  if (!hasHistory) return;
  try {
    await showHistory();
  } catch (error) {
    if (error.status === 401) showSignIn();
  }
}

beginAlerts();
beginCalls(() => showSignIn());
beginQueues(() => showSignIn());

/* A link of the CRM brings its token behind the #, where no server and no log sees it. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');
if (token === null) connect();
else {
  history.replaceState(null, '', location.pathname);
  enter({ token });
}
