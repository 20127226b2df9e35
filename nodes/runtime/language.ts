import type { Node, NodeAPI } from 'node-red';
import { TelephonyError } from '../../lib/errors';
import type { Lang } from '../../lib/errors';

/**
 * The language of the runtime. Node-RED decides it by its settings and environment and tells nobody; its own catalogue
 * look-up knows, so every catalogue of the pack names its language under `<type>.language`.
 */
export function languageOf(red: NodeAPI, type: string): Lang {
  return red._(`${type}.language`) === 'ru' ? 'ru' : 'en';
}

/** The error as Node-RED hands it to Catch nodes: text in the runtime's language, `code` an own property. */
export function forPeople(red: NodeAPI, type: string, error: Error): Error {
  if (!(error instanceof TelephonyError)) return error;
  return Object.assign(new Error(error.textIn(languageOf(red, type)), { cause: error }), { code: error.code });
}

/** What a node writes into the log of an error: the error's words in the runtime's language. */
export const wordsFor = (red: NodeAPI, node: Pick<Node, 'type'>, error: Error): string =>
  forPeople(red, node.type, error).message;
