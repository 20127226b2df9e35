import { $, isMine } from './asking.js';
import { texts } from './texts.js';

const MAX_OPENED = 500;
/** Cards that were opened: a call may be told once more. */
const opened = new Set();

/** `isNow`: an event told it; otherwise it is the card of who has just come to the page, or come back. */
export function showCard({ id, url, tab }, isNow) {
  if (opened.has(id)) return;
  opened.add(id);
  if (opened.size > MAX_OPENED) opened.delete(opened.values().next().value);
  const address = new URL(url, document.baseURI);
  // An address comes checked from the server; another scheme is refused here once more.
  if (!/^https?:$/.test(address.protocol)) return;
  $('no-card').hidden = !tab;
  $('card-link').hidden = false;
  $('card-link').href = address.href;
  $('frame').hidden = $('card-hint').hidden = tab;
  $('card-told').textContent = '';
  if (!tab) $('frame').src = address.href;
  else if (isNow) openTab(address.href, id);
}

export function forgetCard() {
  opened.clear();
  $('no-card').hidden = false;
  $('frame').hidden = $('card-hint').hidden = $('card-link').hidden = true;
  $('card-told').textContent = '';
  $('frame').removeAttribute('src');
  $('card-link').removeAttribute('href');
}

/** Of several tabs of this page one opens it: the one that is looked at, if any. */
async function openTab(href, id) {
  if (document.hidden) await new Promise((resolve) => setTimeout(resolve, 400));
  if (await isMine(id)) open(href);
}

function open(href) {
  const tab = window.open('about:blank', '_blank');
  $('card-told').textContent = tab ? texts.inNewTab : texts.popUpsBlocked;
  if (!tab) return;
  tab.opener = null;
  tab.location.replace(href);
}
