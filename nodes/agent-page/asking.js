import { language, texts } from './texts.js';

export const $ = (id) => document.getElementById(id);

/** Asks the server; rejects with an error whose `status` is absent when nothing of use came back. */
export async function ask(path, body) {
  const how = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = { 'Content-Type': 'application/json', 'X-Telephony-CRM': '1', 'Accept-Language': language };
  const answer = await fetch(path, { ...how, headers, credentials: 'same-origin' });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error?.message ?? texts.failed), { status: answer.status });
  return told;
}

export const wordsOf = (error) => (error.status === undefined ? texts.failed : error.message);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Says it to who cannot see it. */
export function say(text) {
  $('said').textContent = text;
}

const TROUBLE_MS = 10_000;
const troubles = new Map();

/** Says what went wrong, until something works or it was there for a while. */
function complain(place, text) {
  clearTimeout(troubles.get(place));
  // Said again, it is read aloud again.
  place.textContent = '';
  place.textContent = text;
  troubles.set(
    place,
    setTimeout(() => calm(place), TROUBLE_MS),
  );
}

export function calm(place) {
  clearTimeout(troubles.get(place));
  troubles.delete(place);
  place.textContent = '';
}

export function forgetTroubles() {
  for (const place of [...troubles.keys()]) calm(place);
}

const working = new Set();
let isAway = false;

/** Without the server nothing that concerns calls and queues can be done. */
export function setAway(away) {
  isAway = away;
  $('desk').classList.toggle('offline', away);
  for (const button of $('desk').querySelectorAll('button')) showDisabled(button);
}

const isDead = (button) => working.has(button) || (isAway && $('desk').contains(button));

function showDisabled(button) {
  button.ariaDisabled = isDead(button) ? 'true' : null;
}

/** A button that is at work, or can do nothing now, keeps the focus. */
export async function during(button, work) {
  if (isDead(button)) return;
  working.add(button);
  showDisabled(button);
  try {
    await work();
  } finally {
    working.delete(button);
    showDisabled(button);
  }
}

/** Gives the server an order; what it has against it is said at `place`. Resolves with the answer, if there is one. */
export async function order(button, wanted, place, onSignedOut) {
  let done;
  await during(button, async () => {
    calm(place);
    try {
      done = await ask('act', wanted);
      forgetTroubles();
    } catch (error) {
      if (error.status === 401) onSignedOut();
      else complain(place, wordsOf(error));
    }
  });
  return done;
}

/** Shows and hides; whoever stood on what goes away stands on what comes instead. */
export function showOnly(buttons, isShown, instead) {
  const stood = buttons.find((button) => button === document.activeElement);
  for (const button of buttons) button.hidden = !isShown(button);
  if (stood?.hidden) (buttons.find((button) => !button.hidden) ?? instead)?.focus();
}

export const partyOf = ({ number, name }) => (name && name !== number ? `${name} ${number}` : number || texts.noNumber);

const KEPT_MS = 3_600_000;
const HELD_MS = 10_000;

/** Whether this tab may do what each of several tabs was told, and only one may do. */
export async function isMine(what) {
  const key = `telephony-agent ${what}`;
  // Over plain HTTP a browser gives no locks: whoever writes first has it.
  const isFirst = navigator.locks ? await hold(key) : await wait(Math.random() * 200).then(() => true);
  return isFirst && claim(key);
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tells at once whether the lock is ours, and keeps it until the others have asked. */
const hold = (key) =>
  new Promise((resolve) => {
    navigator.locks
      .request(key, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && wait(HELD_MS);
      })
      .catch(() => resolve(true));
  });

/** A call may be told once more, to a tab that was opened since. */
function claim(key) {
  try {
    for (const old of Object.keys(localStorage)) {
      const isOld = old.startsWith('telephony-agent ') && Date.now() - Number(localStorage.getItem(old)) > KEPT_MS;
      if (isOld) localStorage.removeItem(old);
    }
    if (localStorage.getItem(key) !== null) return false;
    localStorage.setItem(key, String(Date.now()));
  } catch {
    // Without a storage each tab stands alone.
  }
  return true;
}
