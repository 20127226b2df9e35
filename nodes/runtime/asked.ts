import type { NodeMessage } from 'node-red';
import { TelephonyError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';

/** Whether somebody outside waits for the answer to this message: `usercrm-in` took the question in. */
export function isAsked(msg: NodeMessage): boolean {
  const { usercrm } = msg as { readonly usercrm?: { readonly id?: unknown } };
  return typeof usercrm?.id === 'string';
}

/** What went wrong, as a message carries it to `usercrm-out`, which tells the asker. */
export function failureFor(error: Error, lang: Lang): object {
  const known = error instanceof TelephonyError;
  return {
    ok: false,
    error: { code: known ? error.code : 'UNEXPECTED', message: known ? error.textIn(lang) : error.message },
  };
}
