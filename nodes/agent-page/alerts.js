import { $, isMine, partyOf } from './asking.js';
import { texts } from './texts.js';

/* Sound and notification: only after the agent asked for them, and in one of his tabs. */

const WANTED = 'telephony-agent-alerts';
let sound;
let ringing;
/** The call that is being told. */
let rung;

export function beginAlerts() {
  $('alerts').addEventListener('click', () => {
    turnOn();
    remember();
    $('sign-out').focus();
    if ('Notification' in window && Notification.permission === 'default') Notification.requestPermission();
  });
  // A browser lets a page sound after the first key or click only.
  if (!isRemembered()) return;
  for (const first of ['pointerdown', 'keydown']) document.addEventListener(first, turnOn, { once: true });
}

export function offerAlerts(isSignedIn) {
  $('alerts').hidden = !isSignedIn || sound !== undefined || isRemembered();
}

export async function alertTo(call) {
  const words = `${texts.rings} ${partyOf(call)}`;
  $('announcer').textContent = words;
  rung = call.legId;
  if (!sound || !(await isMine(`ring ${call.legId}`)) || rung !== call.legId) return;
  beep();
  clearInterval(ringing);
  ringing = setInterval(beep, 2000);
  if ('Notification' in window && Notification.permission === 'granted' && document.hidden) {
    const notice = new Notification(words, { tag: call.legId });
    notice.addEventListener('click', () => window.focus());
  }
}

export function quiet() {
  rung = undefined;
  clearInterval(ringing);
  ringing = undefined;
  $('announcer').textContent = '';
}

function turnOn() {
  sound ??= new AudioContext();
  $('alerts').hidden = true;
}

function remember() {
  try {
    localStorage.setItem(WANTED, 'yes');
  } catch {
    // Then he is asked again the next time.
  }
}

function isRemembered() {
  try {
    return localStorage.getItem(WANTED) === 'yes';
  } catch {
    return false;
  }
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
