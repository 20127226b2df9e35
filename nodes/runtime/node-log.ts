import type { Node, NodeAPI } from 'node-red';
import type { Log } from '../../lib/log';
import { wordsFor } from './language';

/** Node-RED's log under the name of the node. Written without a message: what an engine reports is no event of a flow. */
export function nodeLog(red: NodeAPI, node: Node): Log {
  return {
    info: (text) => node.log(text),
    warn: (what) => node.warn(typeof what === 'string' ? what : wordsFor(red, node, what)),
    debug: (text) => node.debug(text),
  };
}
