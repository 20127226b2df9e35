/// <reference lib="dom" />
import type { Browser, Page } from 'playwright-core';

interface Red {
  readonly nodes: { node(id: string): { readonly type: string; readonly _def?: { readonly category: string } } };
  readonly editor: { edit(node: unknown): void; editConfig(name: string, type: string, id: string): void };
  readonly workspaces: { show(id: string): void };
}

/** The editor of a running Node-RED in a window of this size, after its flows are drawn. */
export async function openEditor(
  browser: Browser,
  url: string,
  viewport: { readonly width: number; readonly height: number },
  deviceScaleFactor = 1,
): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US', viewport, deviceScaleFactor });
  // tsx wraps named functions into calls of this helper, which the page does not have.
  await context.addInitScript('globalThis.__name = (f) => f');
  const page = await context.newPage();
  await page.goto(url);
  // A busy machine takes its time for an editor.
  await page.waitForSelector('.red-ui-flow-node', { timeout: 90_000 });
  return page;
}

/** Opens the tab of a flow. */
export async function showFlow(page: Page, tab: string): Promise<void> {
  await page.evaluate((id) => (globalThis as unknown as { RED: Red }).RED.workspaces.show(id), tab);
  await page.waitForSelector('.red-ui-flow-node');
}

/** Opens the dialog of a node or a config node, and waits until it has slid in. */
export async function openDialog(page: Page, id: string): Promise<void> {
  await page.evaluate((wanted) => {
    const { RED } = globalThis as unknown as { RED: Red };
    const node = RED.nodes.node(wanted);
    if (node._def?.category === 'config') RED.editor.editConfig('', node.type, wanted);
    else RED.editor.edit(node);
  }, id);
  await page.waitForSelector('.red-ui-tray-body form', { state: 'visible' });
  await page.waitForFunction(() => {
    const tray = document.querySelector('.red-ui-tray');
    return tray !== null && Number.parseInt(getComputedStyle(tray).right, 10) === 0;
  });
}

/** Closes it and changes nothing. */
export async function closeDialog(page: Page): Promise<void> {
  await page.locator('#node-dialog-cancel, #node-config-dialog-cancel').last().click();
  await page.waitForSelector('.red-ui-tray', { state: 'detached' });
}
