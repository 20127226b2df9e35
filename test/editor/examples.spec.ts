/// <reference lib="dom" />
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { exampleNames, exampleNamesForCrms, readExample } from '../nodes/support/example-flows';
import { chromiumPath, startBrowser } from '../support/browser';
import { removeFolder, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';

interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly valid?: boolean;
  readonly validationErrors?: readonly string[];
}

describe('the examples in the editor', () => {
  let nodeRed: RealNodeRed;
  let browser: Browser;
  let page: Page;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    // Beside each other, as somebody has them who tries all.
    const flows = exampleNames.flatMap((name) => readExample(name) as unknown as Record<string, unknown>[]);
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows });
    browser = await startBrowser();
    const context = await browser.newContext({ locale: 'en-US' });
    // tsx wraps named functions into calls of this helper, which the page does not have.
    await context.addInitScript('globalThis.__name = (f) => f');
    page = await context.newPage();
    await page.goto(nodeRed.url);
    await page.waitForSelector('.red-ui-flow-node');
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  /** What the editor marks as wrong, as it stands after the import. */
  const invalid = (): Promise<{ readonly id: string; readonly what: string }[]> =>
    page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { eachNode(f: (n: EditorNode) => void): void; eachConfig(f: (n: EditorNode) => void): void } };
      };
      const found: { id: string; what: string }[] = [];
      const look = ({ id, type, name = '', valid, validationErrors = [] }: EditorNode): void => {
        if (valid === false) found.push({ id, what: `${type} "${name}": ${validationErrors.join('; ')}` });
      };
      RED.nodes.eachNode(look);
      RED.nodes.eachConfig(look);
      return found;
    });

  it('lack nothing after the import but what only the owner of a CRM knows', async () => {
    const open = new Set<string>();
    for (const flow of exampleNamesForCrms.map(readExample)) {
      const crms = flow.filter(({ type }) => type === 'crm-config').map(({ id }) => id);
      for (const node of flow) if (crms.some((id) => [node.id, node.crm].includes(id))) open.add(node.id);
    }
    const wrong = (await invalid()).filter(({ id }) => !open.has(id));
    assert.deepEqual(
      wrong.map(({ what }) => what),
      [],
    );
  });
});
