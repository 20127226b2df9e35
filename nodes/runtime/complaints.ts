import type { Node } from 'node-red';

const QUIET_MS = 60_000;

interface Complaint {
  readonly until: number;
  suppressed: number;
}

/**
 * Writes what goes wrong into Node-RED's log, one line a minute for each error code: a CRM that is down for an hour must
 * not fill the log. Without a message, so that no Catch node fires: the flow hears of it by its outputs.
 */
export class Complaints {
  /** As many entries as there are error codes. */
  private readonly quiet = new Map<string, Complaint>();

  constructor(private readonly node: Node) {}

  /** `text` may be long; `code` decides what counts as the same complaint. */
  warn(code: string, text: string): void {
    const now = performance.now();
    const last = this.quiet.get(code);
    if (last && now < last.until) {
      last.suppressed += 1;
      return;
    }
    this.quiet.set(code, { until: now + QUIET_MS, suppressed: 0 });
    this.node.warn(last?.suppressed ? `${text} (${code} ×${last.suppressed + 1})` : `${text} (${code})`);
  }
}
