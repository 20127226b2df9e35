import { createHash } from 'node:crypto';
import type { TelephonyError } from '../errors';
import { amiError } from './errors';
import type { AmiAction, AmiClientOptions, AmiMessage } from './types';

/** Asterisk refused the login; trying again soon would not help, and feeds its fail2ban. */
export class LoginRefused extends Error {
  constructor(readonly error: TelephonyError) {
    super(error.message);
  }
}

/**
 * Logs in by MD5 challenge, or with the password itself where the settings allow it and Asterisk refuses the challenge.
 * Throws {@link LoginRefused}, or what `ask` throws.
 */
export async function logIn(
  ask: (action: AmiAction) => Promise<AmiMessage>,
  options: AmiClientOptions,
  place: string,
): Promise<void> {
  const { username, secret, events = 'on' } = options;
  const challenge = await ask({ action: 'Challenge', headers: { AuthType: 'MD5' } });
  const nonce = challenge.get('Challenge');
  let proof: Record<string, string>;
  if (challenge.name === 'Success' && nonce !== undefined) {
    const key = createHash('md5')
      .update(nonce + secret)
      .digest('hex');
    proof = { AuthType: 'MD5', Key: key };
  } else if (options.plainLogin === true) {
    proof = { Secret: secret };
  } else {
    throw new LoginRefused(amiError('AMI_NO_MD5', { place, message: messageOf(challenge) }));
  }
  const answer = await ask({ action: 'Login', headers: { Username: username, ...proof, Events: events } });
  if (answer.name === 'Success') return;
  const message = messageOf(answer);
  const code = /already in use/i.test(message) ? 'AMI_LOGIN_IN_USE' : 'AMI_LOGIN_REFUSED';
  throw new LoginRefused(amiError(code, { place, username, message }));
}

/** Whether Asterisk will say `FullyBooted`: it does so only to those who listen to the class `system`. */
export function mayHearFullyBooted(events = 'on'): boolean {
  return events.split(',').some((one) => /^(on|all|system)$/i.test(one.trim()));
}

function messageOf(answer: AmiMessage): string {
  return answer.get('Message') ?? answer.name;
}
