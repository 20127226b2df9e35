import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI, NodeInitializer } from 'node-red';
import type { FlowNode } from './runtime';

/** A user directory of one's own: load {@link init} before the nodes, and remove it after the flow is gone. */
export class UserDir {
  readonly path = mkdtempSync(join(tmpdir(), 'telephony-user-'));
  readonly init: NodeInitializer = (red: NodeAPI) => {
    red.settings = { ...red.settings, userDir: this.path };
  };

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const storeNode = (more: Readonly<Record<string, unknown>> = {}): FlowNode => ({
  id: 'store',
  type: 'store-config',
  name: '',
  file: 'telephony-crm.sqlite',
  days: '365',
  maxSize: '2048',
  backup: false,
  backupAt: '03:30',
  backupKeep: '7',
  ...more,
});
