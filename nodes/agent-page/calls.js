import { alertTo, quiet } from './alerts.js';
import { $, calm, element, order, partyOf, say, showOnly } from './asking.js';
import { texts } from './texts.js';

const ACTIONS = ['hold', 'unhold', 'hangup', 'transfer', 'attended-transfer', 'complete-transfer', 'cancel-transfer'];
const wantsTarget = (action) => action === 'transfer' || action === 'attended-transfer';

/** By leg: what the server says holds now. */
let calls = new Map();
/** Milliseconds by which the server's clock is ahead of ours. */
let ahead = 0;
let onSignedOut = () => undefined;

export function beginCalls(signedOut) {
  onSignedOut = signedOut;
  setInterval(showTimes, 1000);
}

export function forgetCalls() {
  calls.clear();
  showCalls();
}

/** All calls at once. Without the PBX the server knows of none: those that were shown stay. */
export function takeCalls({ calls: told, ready, now }) {
  ahead = Date.parse(now) - Date.now();
  const rings = told.find((call) => call.state === 'ringing' && !calls.has(call.legId));
  calls = new Map([...(ready ? [] : calls), ...told.map((call) => [call.legId, call])]);
  if (rings) alertTo(rings);
  showCalls();
}

export function takeCall(call) {
  const isNew = !calls.has(call.legId);
  calls.set(call.legId, call);
  if (isNew && call.state === 'ringing') alertTo(call);
  showCalls();
}

export function endCall(legId) {
  if (calls.delete(legId)) say(texts.over);
  showCalls();
}

function showCalls() {
  // Whoever types or stands on a button is not disturbed by an event.
  const places = new Map([...$('calls').children].map((place) => [place.dataset.leg, place]));
  for (const [leg, place] of places) {
    if (calls.has(leg)) continue;
    if (place.contains(document.activeElement)) $('calls-title').focus();
    place.remove();
  }
  for (const call of calls.values()) {
    const place = places.get(call.legId) ?? $('calls').appendChild(newCall(call.legId));
    updateCall(place, call);
  }
  $('no-calls').hidden = calls.size > 0;
  if (calls.size === 0) calm($('trouble'));
  const ringing = [...calls.values()].find(({ state }) => state === 'ringing');
  if (!ringing) quiet();
  document.title = ringing ? `☎ ${partyOf(ringing)}` : texts.title;
  showTimes();
}

function newCall(legId) {
  const input = element('input', { className: 'to', maxLength: 40, inputMode: 'tel', ariaLabel: texts.to });
  input.placeholder = texts.to;
  const buttons = ACTIONS.map((action) => {
    const button = element('button', { type: 'button', textContent: texts[action] });
    button.dataset.action = action;
    button.addEventListener('click', () =>
      act(button, { action, legId, ...(wantsTarget(action) ? { to: input.value } : {}) }),
    );
    return button;
  });
  const named = Object.fromEntries(buttons.map((button) => [button.dataset.action, button]));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') named.transfer.click();
  });
  const place = element(
    'li',
    {},
    element(
      'div',
      { className: 'line' },
      element('span', { className: 'number' }),
      element('span', { className: 'state' }),
      element('span', { className: 'time' }),
    ),
    element('div', { className: 'dim about' }),
    element('div', { className: 'acts' }, named.hold, named.unhold, named.hangup),
    element('div', { className: 'acts' }, input),
    element('div', { className: 'acts' }, named.transfer, named['attended-transfer']),
    element('div', { className: 'acts' }, named['complete-transfer'], named['cancel-transfer']),
  );
  place.dataset.leg = legId;
  return place;
}

function updateCall(place, call) {
  place.className = `call ${call.state}`;
  place.querySelector('.number').textContent = partyOf(call);
  place.querySelector('.state').textContent = call.consulting === true ? texts.consulting : texts[call.state];
  const queue = call.queue && `${texts.queue} ${call.queue}`;
  place.querySelector('.about').textContent = [queue, call.line, call.region].filter(Boolean).join(' · ');
  const isTalking = call.state === 'talking';
  const isConsulting = call.consulting === true;
  const shown = {
    hold: isTalking,
    // Whoever is consulted is in the way.
    unhold: call.state === 'held' && !isConsulting,
    transfer: call.state !== 'ringing' && !isConsulting,
    'attended-transfer': isTalking && !isConsulting,
    'complete-transfer': isConsulting,
    'cancel-transfer': isConsulting,
    hangup: true,
  };
  showOnly([...place.querySelectorAll('button')], (button) => shown[button.dataset.action]);
  place.querySelector('.to').hidden = call.state === 'ringing' || isConsulting;
}

/** How long it has lasted; nobody is told each second what he cannot see. */
function showTimes() {
  for (const place of $('calls').children) {
    const call = calls.get(place.dataset.leg);
    const since = Date.parse(call?.answeredAt ?? call?.startedAt ?? '');
    const seconds = Math.max(0, Math.floor((Date.now() + ahead - since) / 1000));
    const two = (number) => String(number).padStart(2, '0');
    const text = Number.isNaN(seconds) ? '' : `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
    place.querySelector('.time').textContent = text;
  }
}

async function act(button, wanted) {
  const { held } = (await order(button, wanted, $('trouble'), onSignedOut)) ?? {};
  const call = calls.get(wanted.legId);
  if (call && held !== undefined) calls.set(wanted.legId, { ...call, state: held ? 'held' : 'talking' });
  showCalls();
}
