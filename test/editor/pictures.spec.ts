import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { type PackInNodeRed, startPack } from '../asterisk/support/pack-in-node-red';
import { only, readExample } from '../nodes/support/example-flows';
import type { FlowNode } from '../nodes/support/runtime';
import { startBrowser } from '../support/browser';
import { closeDialog, openDialog, openEditor, showFlow } from '../support/editor';
import { asked, picture } from '../support/pictures';

/** Whatever size the editor has, its picture is 1000 pixels wide. */
const WIDTH = 1420;
const DIALOG = { width: 1400, height: 900 };

/** An example that is shown whole: how high the window has to be, and the buttons that are pressed, each with the lines that it makes in the sidebar. */
interface Shown {
  readonly example: string;
  readonly height: number;
  readonly presses: Readonly<Record<string, number>>;
  /** What the last line tells is unfolded: the first of the list. */
  readonly isUnfolded?: true;
}

const SHOWN: Readonly<Record<string, Shown>> = {
  'editor-routing': {
    example: '01-routing-to-responsible.json',
    height: 880,
    presses: { 'incoming call from a known client': 2, 'a client whose manager is busy': 2 },
  },
  'record-in-debug': {
    example: '02-cdr-export.json',
    height: 860,
    presses: { 'a call that is answered': 1, 'the last ten calls': 1 },
    isUnfolded: true,
  },
  'editor-click-to-call': {
    example: '07-click-to-call.json',
    height: 700,
    presses: { 'a click of user 1': 2 },
  },
  'editor-line24': {
    example: '08-line24-scripts.json',
    height: 620,
    presses: { 'a call to the queue': 5 },
  },
  'editor-cisco': {
    example: '10-cisco-uccx-bitrix24.json',
    height: 1100,
    presses: { 'rows: a call that was answered': 2 },
  },
};

const PEOPLE = [
  { extension: '101', userId: '5f1c8a0b27d94e3a1', name: 'Anna Smirnova' },
  { extension: '102', userId: '5f1c8a0b27d94e3a2', name: 'Boris Kuznetsov' },
  { extension: '103', userId: '5f1c8a0b27d94e3a3', name: 'Vera Orlova' },
];

// Pictures of the README: nothing is asserted here that other specs do not assert.
if (asked) {
  describe('the pictures of the editor', () => {
    let nodeRed: PackInNodeRed;
    let browser: Browser;
    let page: Page;

    before(async () => {
      nodeRed = await startPack(readExample('06-autocall-notification.json'));
      browser = await startBrowser();
    });
    after(async () => {
      await (browser as Browser | undefined)?.close();
      await (nodeRed as PackInNodeRed | undefined)?.stop();
    });
    afterEach(() => page.context().close());

    async function press(flow: readonly FlowNode[], button: string): Promise<void> {
      const found = flow.find(({ type, name }) => type === 'inject' && name === button);
      const { ok } = await fetch(`${nodeRed.url}/inject/${found?.id ?? ''}`, { method: 'POST' });
      assert.ok(ok, button);
    }
    const showFlowAndDebug = (): Promise<void> =>
      page.evaluate(() => {
        const { RED } = globalThis as unknown as { RED: { actions: { invoke(action: string, to?: boolean): void } } };
        RED.actions.invoke('core:toggle-palette', false);
        RED.actions.invoke('core:show-debug-tab');
      });

    for (const [name, { example, height, presses, isUnfolded }] of Object.entries(SHOWN)) {
      it(name, async () => {
        const flow = JSON.parse(
          // Examples that ask the web server of Node-RED itself name its usual port.
          JSON.stringify(readExample(example)).replaceAll('http://127.0.0.1:1880', nodeRed.url),
        ) as FlowNode[];
        await nodeRed.deploy(flow);
        page = await openEditor(browser, nodeRed.url, { width: WIDTH, height }, 1000 / WIDTH);
        await showFlow(page, only(flow, 'tab').id);
        await showFlowAndDebug();
        const lines = page.locator('.red-ui-debug-msg');
        let told = 0;
        for (const [button, count] of Object.entries(presses)) {
          await press(flow, button);
          told += count;
          await lines.nth(told - 1).waitFor({ timeout: 30_000 });
        }
        if (isUnfolded === true)
          for (const handle of [0, 1, 2])
            await lines.last().locator('.red-ui-debug-msg-object-handle').nth(handle).click();
        await page.mouse.move(400, height - 60);
        // Statuses have become those of a flow at rest, tips have gone.
        await page.waitForTimeout(4000);
        await picture(page, name);
      });
    }

    it('dialog-crm-config', async () => {
      const flow = readExample('02-cdr-export-espocrm.json');
      const crm = { ...only(flow, 'crm-config'), people: PEOPLE };
      const settings = { url: 'https://crm.example.com' };
      await nodeRed.deploy([
        ...flow.filter(({ id }) => id !== crm.id),
        { ...crm, settings, credentials: { token: 'key' } },
      ]);
      page = await openEditor(browser, nodeRed.url, DIALOG);
      await openDialog(page, crm.id);
      await picture(page.locator('.red-ui-tray'), 'dialog-crm-config');
      await closeDialog(page);
    });

    it('dialog-originate', async () => {
      const flow = readExample('06-autocall-notification.json');
      const hours = [
        { days: [1, 2, 3, 4, 5], from: '09:00', to: '20:00' },
        { days: [6, 7], from: '10:00', to: '18:00' },
      ];
      const originate = { ...only(flow, 'originate'), windows: hours };
      await nodeRed.deploy([...flow.filter(({ id }) => id !== originate.id), originate]);
      page = await openEditor(browser, nodeRed.url, { ...DIALOG, height: 1500 });
      await openDialog(page, originate.id);
      await picture(page.locator('.red-ui-tray'), 'dialog-originate');
      await closeDialog(page);
    });
  });
}
