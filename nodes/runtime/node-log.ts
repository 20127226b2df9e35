import type { Node } from 'node-red';
import type { Log } from '../../lib/log';

/** Node-RED's log under the name of the node. Written without a message: what an engine reports is no event of a flow. */
export function nodeLog(node: Node): Log {
  return {
    info: (text) => node.log(text),
    warn: (text) => node.warn(text),
    debug: (text) => node.debug(text),
  };
}
