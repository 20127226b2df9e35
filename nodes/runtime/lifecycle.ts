import type { Node, NodeAPI, NodeMessage, NodeMessageInFlow } from 'node-red';
import { asError } from '../../lib/errors';
import { nodeError } from './errors';
import { forPeople, wordsFor } from './language';

/** The longest that closing may take before Node-RED goes on without us, in milliseconds. */
const CLOSE_WITHIN_MS = 2000;

export type Send = (msg: NodeMessage | (NodeMessage | NodeMessage[] | null)[]) => void;

/**
 * The only way a node of this pack listens to messages. Whatever the handler throws or rejects becomes one `done(err)` in
 * the user's language; a bare async listener would end Node-RED with an unhandled rejection.
 */
export function onInput(
  red: NodeAPI,
  node: Node,
  handler: (msg: NodeMessageInFlow, send: Send) => void | Promise<void>,
): void {
  node.on('input', (msg, send, done) => {
    new Promise<void>((resolve) => resolve(handler(msg, send)))
      .then(
        () => done(),
        (thrown: unknown) => done(forPeople(red, node.type, asError(thrown))),
      )
      // Node-RED clones the message for Catch and Complete, and a message may refuse to be cloned (a getter that throws):
      // Catch gets the error with an empty one, instead of Node-RED ending with an unhandled rejection.
      .catch((thrown: unknown) => node.error(forPeople(red, node.type, asError(thrown)), {}));
  });
}

type OnClosed = (removed: boolean) => void | Promise<void>;

/** What of this pack is closing at this moment, but for what waits for the others. */
const closing = new Set<Promise<void>>();

/** The only way a node of this pack closes: awaited, bounded, and what goes wrong in it is logged instead of swallowed. */
export function onClose(red: NodeAPI, node: Node, handler: OnClosed): void {
  // Node-RED looks at the number of declared arguments: exactly two gives us both.
  node.on('close', (removed: boolean, done: () => void) => {
    const closed = withinLimit(red, node, () => handler(removed)).finally(() => closing.delete(closed));
    closing.add(closed);
    void closed.then(done);
  });
}

/**
 * As {@link onClose}, for what other nodes write to until they are closed themselves. Node-RED closes all nodes in one go, with no
 * regard to who needs whom.
 */
export function onCloseAfterOthers(red: NodeAPI, node: Node, handler: OnClosed): void {
  node.on('close', (removed: boolean, done: () => void) => {
    // A moment later each of them has begun.
    setImmediate(() => {
      void Promise.all(closing)
        .then(() => withinLimit(red, node, () => handler(removed)))
        .then(done);
    });
  });
}

/** Resolves when the handler is through, or has had its time. */
async function withinLimit(red: NodeAPI, node: Node, handler: () => void | Promise<void>): Promise<void> {
  const warn = (error: Error): void => node.warn(wordsFor(red, node, error));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      warn(nodeError('CLOSE_SLOW', { ms: CLOSE_WITHIN_MS }));
      resolve();
    }, CLOSE_WITHIN_MS);
  });
  const closed = new Promise<void>((resolve) => resolve(handler())).catch((thrown: unknown) =>
    warn(nodeError('CLOSE_FAILED', { reason: asError(thrown).message })),
  );
  await Promise.race([closed, late]);
  clearTimeout(timer);
}
