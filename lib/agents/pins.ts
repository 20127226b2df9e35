import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { agentError } from './errors';

/** 16 MB and some 50 ms each: a PIN is short, so that guessing must cost. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const BYTES = 32;

/** Of 0000, as {@link hashPin} makes it: for the phones of the simulator, where there is nothing to protect. */
export const TRIAL_PIN = 'scrypt$HHd4dRM9kPk0jNz99Rg0ew$Hz_fZamaXpWZFGopFwFfADh1z-8agH3q5HV8-VGhvpE';

function derive(pin: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** The PIN as it is kept: `scrypt$<salt>$<hash>`. Rejects with `AGENT_BAD_PIN`. */
export async function hashPin(pin: string): Promise<string> {
  if (pin.length < 4 || pin.length > 64) throw agentError('AGENT_BAD_PIN');
  const salt = randomBytes(16);
  return `scrypt$${salt.toString('base64url')}$${(await derive(pin, salt)).toString('base64url')}`;
}

/** Takes as long for an extension that has no PIN (`kept` is `undefined`): nobody learns which there are. */
export async function isPin(pin: string, kept: string | undefined): Promise<boolean> {
  const [kind, salt = '', hash = ''] = (kept ?? '').split('$');
  const wanted = Buffer.from(hash, 'base64url');
  const shown = await derive(pin.slice(0, 64), Buffer.from(salt, 'base64url'));
  return kind === 'scrypt' && wanted.length === BYTES && timingSafeEqual(shown, wanted);
}

/** Whether this is what {@link hashPin} makes. */
export const isHash = (text: string | undefined): text is string => /^scrypt\$[\w-]+\$[\w-]+$/.test(text ?? '');
