import type { ReadMessage } from './transport';

/** Events whose shape is checked even when nobody listens: they are where injected text shows itself first. */
export function mustBeLookedAt(name: string): boolean {
  return name === 'Newchannel';
}

/**
 * Whether an event has a shape that no Asterisk produces, because text with line ends was put into a value: measured on
 * 22.10, a caller's number is passed on as it is. Asterisk puts the class of every event it tells unasked into a header
 * `Privilege` (all 6158 recorded ones have it; items of lists do not), and the headers that name a channel come once in
 * all real events but UserEvent, whose headers the dialplan chooses. A forger who knows all this is not recognised here:
 * whoever acts on an event must compare its Uniqueid with one he knows.
 */
export function isTampered(event: ReadMessage, isListItem: boolean): boolean {
  if (!isListItem && event.get('Privilege') === undefined) return true;
  if (event.name === 'UserEvent') return false;
  if (event.name === 'Newchannel' && event.get('Uniqueid') === undefined) return true;
  return event.repeats('Uniqueid') || event.repeats('Linkedid');
}
