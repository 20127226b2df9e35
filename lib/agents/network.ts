import { isIP } from 'node:net';

/** Of the eight groups of an IPv6 address those that a provider gives out: who has one address has all that begin so. */
const NETWORK_GROUPS = 4;

/** What somebody cannot change by himself of the address he comes from: of IPv6 the network (/64), else the address. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIP(plain) !== 6) return plain;
  const [before = [], after = []] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
