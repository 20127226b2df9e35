import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { asError } from '../../lib/errors';
import { recordTrace } from '../../lib/pbx/trace';
import type { AmiConfigNode } from './config-nodes';
import { nodeError } from './errors';
import { wordsFor } from './language';
import { textOf } from './settings';
import { madeUserFolder } from './user-folder';

/** Long enough for a call that goes through a queue, short enough to be forgotten. */
const MOST_SECONDS = 900;
const MOST_BYTES = 64 * 1024 * 1024;

export interface TraceRequest {
  readonly seconds: unknown;
  readonly maskNumbers: unknown;
}

/** The recordings of what a PBX sends that the button of the dialog begins: one at a time, in a folder that is ours. */
export class Traces {
  private running: string | undefined;

  constructor(private readonly red: NodeAPI) {}

  /**
   * Begins a recording and tells where; the log of the node tells when it is ready. Throws `TRACE_RUNNING`,
   * `TRACE_NO_LINK`, `TRACE_BAD_SECONDS`.
   */
  begin(node: AmiConfigNode | undefined, { seconds, maskNumbers }: TraceRequest): { file: string; seconds: number } {
    if (this.running !== undefined) throw nodeError('TRACE_RUNNING', { file: this.running });
    if (node?.pbx.client.state.phase !== 'ready') throw nodeError('TRACE_NO_LINK');
    const typed = textOf(seconds);
    const length = Number(typed);
    if (!Number.isInteger(length) || length < 1 || length > MOST_SECONDS) {
      throw nodeError('TRACE_BAD_SECONDS', { value: typed.slice(0, 20), most: MOST_SECONDS });
    }
    const file = this.newFile(node.pbx.name);
    this.running = file;
    recordTrace(node.pbx.client, { file, seconds: length, maxBytes: MOST_BYTES, maskNumbers: maskNumbers !== false })
      .then(
        () => node.log(this.red._('ami-config.log.trace-done', { file })),
        (thrown: unknown) => {
          const reason = wordsFor(this.red, node, asError(thrown));
          node.warn(this.red._('ami-config.log.trace-failed', { reason }));
        },
      )
      .finally(() => (this.running = undefined));
    return { file, seconds: length };
  }

  private newFile(pbx: string): string {
    const folder = madeUserFolder(this.red, 'traces');
    const moment = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    return join(folder, `${pbx.replace(/[^\w.-]+/g, '_').slice(0, 60)}-${moment}.txt`);
  }
}
