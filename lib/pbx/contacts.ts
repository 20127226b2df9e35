import { isIP } from 'node:net';
import type { AmiClient } from '../ami/types';
import type { Clock } from '../clock';
import { pbxError } from './errors';

/** Which extensions have a phone registered at this address: none, one, or several that share a computer. */
export type WhoIsAt = (ip: string) => Promise<readonly string[]>;

export interface ContactsOptions {
  readonly client: Pick<AmiClient, 'action' | 'list'>;
  readonly clock: Clock;
  readonly isExtension: (text: string) => boolean;
  /** Whom an address belongs to, whatever is registered there; asked first. */
  readonly addresses?: ReadonlyMap<string, string>;
}

/** A phone that registers anew is found after this. */
const FRESH_MS = 3000;
/** Reads at once: a PBX with thousands of phones must not be flooded. */
const AT_ONCE = 32;
const MAX_PHONES = 5000;
/** Names that can stand in a dialplan function without meaning anything there. */
const NAME = /^[\w.+-]{1,80}$/;
const CONTACT_ID = /^[\w.+;@-]{1,200}$/;

interface Known {
  readonly at: number;
  readonly extensions: Promise<ReadonlyMap<string, readonly string[]>>;
}

/**
 * Finds people by the address of their phone, with the classes `call` or `reporting` in `write=` and without `system`: the dialplan
 * functions PJSIP_ENDPOINT, PJSIP_AOR and PJSIP_CONTACT answer to a Getvar without a channel (measured on Asterisk 22.10 and 16.28). An
 * address is that of the contact's URI, or the one that its Via names. A phone behind a NAT has the router's address with
 * `rewrite_contact`, and its own without. Rejects with what the link rejects with, or with `PBX_CONTACTS_REFUSED`; asks
 * again after 3 s at the earliest.
 */
export function createContacts({ client, clock, isExtension, addresses }: ContactsOptions): WhoIsAt {
  let known: Known | undefined;

  const value = async (name: string): Promise<string> => {
    const answer = await client.action({ action: 'Getvar', headers: { Variable: name } });
    // An unknown function or contact is an empty value, not an error.
    if (answer.name === 'Error') throw pbxError('PBX_CONTACTS_REFUSED', { reason: answer.get('Message') ?? '' });
    return answer.get('Value') ?? '';
  };

  const listOf = async (name: string): Promise<string[]> =>
    (await value(name)).split(',').filter((each) => CONTACT_ID.test(each));

  async function addressesOf(extension: string): Promise<string[]> {
    const found: string[] = [];
    for (const aor of await listOf(`PJSIP_ENDPOINT(${extension},aors)`)) {
      for (const contact of await listOf(`PJSIP_AOR(${aor},contact)`)) {
        const uri = await value(`PJSIP_CONTACT(${contact},uri)`);
        found.push(hostOf(uri), plain(await value(`PJSIP_CONTACT(${contact},via_addr)`)));
      }
    }
    return found.filter((address) => address !== '');
  }

  async function readAll(): Promise<ReadonlyMap<string, readonly string[]>> {
    const states = await client.list({ action: 'DeviceStateList' });
    const names = states.map((state) => /^PJSIP\/(.+)$/.exec(state.get('Device') ?? '')?.[1] ?? '');
    const extensions = [...new Set(names)].filter((name) => NAME.test(name) && isExtension(name)).slice(0, MAX_PHONES);
    const found = new Map<string, string[]>();
    const rest = extensions.values();
    const read = async (): Promise<void> => {
      for (const extension of rest) {
        for (const address of new Set(await addressesOf(extension))) {
          found.set(address, [...(found.get(address) ?? []), extension]);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, read));
    return found;
  }

  return async (ip) => {
    const address = plain(ip);
    const given = addresses?.get(address);
    if (given !== undefined) return [given];
    const now = clock.monotonic();
    if (known === undefined || now - known.at > FRESH_MS) {
      const mine: Known = { at: now, extensions: readAll() };
      known = mine;
      mine.extensions.catch(() => {
        if (known === mine) known = undefined;
      });
    }
    return (await known.extensions).get(address) ?? [];
  };
}

/** The host of `sip:101@10.0.0.5:5060;transport=tcp`, when it is an address. */
function hostOf(uri: string): string {
  const [, host = ''] = /^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;?]*)/i.exec(uri) ?? [];
  return plain(host);
}

/** An address as others write it too, without brackets, without the prefix of IPv4 on a dual-stack socket; else empty. */
function plain(text: string): string {
  const address = text
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .toLowerCase();
  return isIP(address) === 0 ? '' : address;
}
