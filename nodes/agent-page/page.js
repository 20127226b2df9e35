import { language, texts } from './texts.js';

const $ = (id) => document.getElementById(id);
const RETRY_MS = 3000;
const MAX_SEEN = 500;

/** By leg: what the server says holds now. */
let calls = new Map();
/** Events that were shown already, so that a repetition is not. */
const seen = new Set();
/** The last event that came: what the server repeats from, after a connection of our own making. */
let lastId = '';
/** Cards that were opened: after a restart of the server a call may be told once more. */
const opened = new Set();
let source;
let retry;
let sound;
let hasHistory = false;

document.documentElement.lang = language;
for (const place of document.querySelectorAll('[data-text]')) place.textContent = texts[place.dataset.text];
for (const place of document.querySelectorAll('[data-title]')) place.title = texts[place.dataset.title];

async function ask(path, body) {
  const how = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = { 'Content-Type': 'application/json', 'X-Telephony-CRM': '1', 'Accept-Language': language };
  const answer = await fetch(path, { ...how, headers, credentials: 'same-origin' });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error?.message ?? texts.failed), { status: answer.status });
  return told;
}

const wordsOf = (error) => (error.status === undefined ? texts.failed : error.message);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/* Signing in and out. */

function showSignIn(refusal = '') {
  source?.close();
  clearTimeout(retry);
  calls.clear();
  $('desk').hidden = $('sign-out').hidden = $('alerts').hidden = true;
  $('sign-in').hidden = false;
  $('refusal').textContent = refusal;
  $('who').textContent = $('link').textContent = '';
  $('extension').focus();
}

async function enter(how) {
  try {
    await ask('session', how);
    $('pin').value = '';
    connect();
  } catch (error) {
    showSignIn(wordsOf(error));
  }
}

$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  enter({ extension: $('extension').value, pin: $('pin').value });
});

$('sign-out').addEventListener('click', async () => {
  await ask('sign-out', {}).catch(() => undefined);
  showSignIn();
});

/* The feed. */

function connect() {
  source?.close();
  clearTimeout(retry);
  source = new EventSource(lastId === '' ? 'events' : `events?after=${encodeURIComponent(lastId)}`);
  source.addEventListener('state', ({ data }) => showState(JSON.parse(data)));
  on('call', ({ call }) => {
    const isNew = !calls.has(call.legId);
    calls.set(call.legId, call);
    if (isNew && call.state === 'ringing') alertTo(call);
    showCalls();
  });
  on('end', ({ legId }) => {
    calls.delete(legId);
    showCalls();
    // The record is made a little later than the call ends.
    setTimeout(showHistory, 4000);
  });
  on('pop', showCard);
  on('note', ({ text }) => {
    $('notes-place').hidden = false;
    $('notes').prepend(element('li', { textContent: text }));
    while ($('notes').children.length > 20) $('notes').lastChild.remove();
  });
  source.addEventListener('open', () => ($('link').textContent = ''));
  source.addEventListener('error', lost);
}

function on(name, handle) {
  source.addEventListener(name, ({ data, lastEventId }) => {
    if (lastEventId !== '') lastId = lastEventId;
    if (lastEventId !== '' && seen.has(lastEventId)) return;
    seen.add(lastEventId);
    if (seen.size > MAX_SEEN) seen.delete(seen.values().next().value);
    handle(JSON.parse(data));
  });
}

/** The browser connects again by itself, except after a refusal: then the server is asked why. */
async function lost() {
  $('link').textContent = texts.offline;
  if (source.readyState !== EventSource.CLOSED) return;
  try {
    await ask('history');
  } catch (error) {
    if (error.status === 401) {
      showSignIn();
      return;
    }
  }
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_MS);
}

/* What holds. */

function showState(state) {
  $('sign-in').hidden = true;
  $('desk').hidden = $('sign-out').hidden = false;
  $('alerts').hidden = sound !== undefined;
  $('link').textContent = '';
  $('who').textContent = state.name === undefined ? state.extension : `${state.extension} ${state.name}`;
  const rang = state.calls.find((call) => call.state === 'ringing' && !calls.has(call.legId));
  calls = new Map(state.calls.map((call) => [call.legId, call]));
  hasHistory = state.history;
  if (rang) alertTo(rang);
  showCalls();
  showHistory();
}

const partyOf = ({ number, name }) => (name ? `${name} ${number}` : number || texts.noNumber);

function showCalls() {
  // Whoever types or stands on a button is not disturbed by an event.
  const places = new Map([...$('calls').children].map((place) => [place.dataset.leg, place]));
  for (const [leg, place] of places) if (!calls.has(leg)) place.remove();
  for (const call of calls.values()) {
    const place = places.get(call.legId) ?? $('calls').appendChild(newCall(call.legId));
    updateCall(place, call);
  }
  $('no-calls').hidden = calls.size > 0;
  if (calls.size === 0) {
    $('announcer').textContent = $('trouble').textContent = '';
    ring(false);
  }
  if (![...calls.values()].some(({ state }) => state === 'ringing')) ring(false);
}

function newCall(legId) {
  const to = element('input', {
    className: 'to',
    ariaLabel: texts.to,
    placeholder: texts.to,
    maxLength: 40,
    inputMode: 'tel',
  });
  const buttons = [
    'hold',
    'unhold',
    'transfer',
    'attended-transfer',
    'complete-transfer',
    'cancel-transfer',
    'hangup',
  ].map((action) => {
    const button = element('button', { type: 'button', textContent: texts[action] });
    button.dataset.action = action;
    button.addEventListener('click', () =>
      act(button, { action, legId, ...(wantsTarget(action) ? { to: to.value } : {}) }),
    );
    return button;
  });
  const [hold, unhold, transfer, consult, complete, cancel, hangup] = buttons;
  const acts = element('div', { className: 'acts' }, hold, unhold, to, transfer, consult, complete, cancel, hangup);
  const place = element(
    'li',
    {},
    element('div', { className: 'number' }),
    element('div', { className: 'state' }),
    element('div', { className: 'dim about' }),
    acts,
  );
  place.dataset.leg = legId;
  return place;
}

const wantsTarget = (action) => action === 'transfer' || action === 'attended-transfer';

function updateCall(place, call) {
  place.className = call.state;
  place.querySelector('.number').textContent = partyOf(call);
  place.querySelector('.state').textContent = texts[call.state];
  place.querySelector('.about').textContent = [call.queue, call.line, call.region].filter(Boolean).join(' · ');
  const isTalking = call.state === 'talking';
  const shown = {
    hold: isTalking,
    unhold: call.state === 'held',
    transfer: call.state !== 'ringing',
    'attended-transfer': isTalking,
    'complete-transfer': place.dataset.consulting === 'yes',
    'cancel-transfer': place.dataset.consulting === 'yes',
    hangup: true,
  };
  for (const button of place.querySelectorAll('button')) button.hidden = !shown[button.dataset.action];
  place.querySelector('.to').hidden = call.state === 'ringing';
}

async function act(button, order) {
  const place = button.closest('li');
  button.disabled = true;
  $('trouble').textContent = '';
  try {
    const { held } = await ask('act', order);
    const call = calls.get(order.legId);
    if (call && held !== undefined) calls.set(order.legId, { ...call, state: held ? 'held' : 'talking' });
    if (order.action === 'attended-transfer') place.dataset.consulting = 'yes';
    if (/^(?:complete|cancel)-transfer$/.test(order.action)) delete place.dataset.consulting;
    showCalls();
  } catch (error) {
    if (error.status === 401) showSignIn();
    else $('trouble').textContent = wordsOf(error);
  } finally {
    button.disabled = false;
  }
}

/** An address comes checked from the server; another scheme is refused here once more. */
function showCard({ url, tab, legId }) {
  if (legId !== undefined && opened.has(`${legId} ${url}`)) return;
  opened.add(`${legId} ${url}`);
  if (opened.size > MAX_SEEN) opened.delete(opened.values().next().value);
  const address = new URL(url, document.baseURI);
  if (!/^https?:$/.test(address.protocol)) return;
  $('card').hidden = false;
  $('card-link').href = address.href;
  $('frame').hidden = tab;
  if (!tab) $('frame').src = address.href;
  // A browser may refuse it: then the link stays.
  else window.open(address.href, '_blank', 'noopener,noreferrer');
}

async function showHistory() {
  if (!hasHistory) return;
  try {
    const { calls: past } = await ask('history');
    $('history-place').hidden = false;
    $('history').replaceChildren(
      ...past.map(({ startedAt, client, peer, result }) => {
        const time = new Date(startedAt).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' });
        const party = client?.e164 ?? client?.number ?? peer?.extension ?? '';
        return element('li', { textContent: `${time} ${party} ${texts[result] ?? result ?? ''}` });
      }),
    );
  } catch (error) {
    if (error.status === 401) showSignIn();
  }
}

/* Sound and notification: only after the agent asked for them. */

function alertTo(call) {
  $('announcer').textContent = `${texts.rings} ${partyOf(call)}`;
  ring(true);
  if (sound && 'Notification' in window && Notification.permission === 'granted' && document.hidden) {
    new Notification(`${texts.rings} ${partyOf(call)}`, { tag: call.legId });
  }
}

let ringing;

function ring(isOn) {
  clearInterval(ringing);
  ringing = undefined;
  if (!isOn || !sound) return;
  beep();
  ringing = setInterval(beep, 2000);
}

function beep() {
  const tone = sound.createOscillator();
  const loudness = sound.createGain();
  const { currentTime: now } = sound;
  tone.frequency.value = 660;
  loudness.gain.setValueAtTime(0.0001, now);
  loudness.gain.exponentialRampToValueAtTime(0.2, now + 0.05);
  loudness.gain.exponentialRampToValueAtTime(0.0001, now + 0.6);
  tone.connect(loudness).connect(sound.destination);
  tone.start(now);
  tone.stop(now + 0.65);
}

$('alerts').addEventListener('click', () => {
  sound = new AudioContext();
  $('alerts').hidden = true;
  if ('Notification' in window && Notification.permission === 'default') Notification.requestPermission();
});

/* A link of the CRM brings its token behind the #, where no server and no log sees it. */
const token = new URLSearchParams(location.hash.slice(1)).get('token');
if (token === null) connect();
else {
  history.replaceState(null, '', location.pathname);
  enter({ token });
}
