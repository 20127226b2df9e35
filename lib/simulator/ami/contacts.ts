import type { Devices } from '../devices';

/**
 * The dialplan functions that tell where a phone is registered, as a Getvar without a channel answers them (measured): empty when there is no
 * such thing. `undefined`: another function.
 */
export function contactFunction(devices: Devices, name: string): string | undefined {
  const [, kind, argument = '', field] = /^PJSIP_(ENDPOINT|AOR|CONTACT)\(([^,]*),(\w+)\)$/.exec(name) ?? [];
  if (kind === undefined) return undefined;
  const phone = devices.phones.get(argument.split(';', 1)[0] ?? '');
  if (phone === undefined) return '';
  if (kind === 'ENDPOINT') return field === 'aors' ? phone.extension : '';
  if (phone.rule === 'unregistered') return '';
  if (kind === 'AOR') return field === 'contact' ? `${phone.extension};@simulated` : '';
  if (field === 'uri') return phone.contact;
  return field === 'via_addr' ? (/@([^:]+)/.exec(phone.contact)?.[1] ?? '') : '';
}
