import type { ReadMessage } from './transport';

/** Events whose shape is checked even when nobody listens: they are where injected text shows itself first. */
export function mustBeLookedAt(name: string): boolean {
  return name === 'Newchannel';
}

/**
 * Whether an event has a shape that no Asterisk produces, because text with line ends was put into a value: measured on
 * 22.10, a caller's number is passed on as it is. A header that names the channel comes once in all real events but
 * UserEvent, whose headers the dialplan chooses.
 */
export function isTampered(event: ReadMessage): boolean {
  if (event.name === 'UserEvent') return false;
  if (event.name === 'Newchannel' && event.get('Uniqueid') === undefined) return true;
  return event.repeats('Uniqueid') || event.repeats('Linkedid');
}
