import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { type PackInNodeRed, startPack } from '../asterisk/support/pack-in-node-red';
import { only, readExample } from '../nodes/support/example-flows';
import type { FlowNode } from '../nodes/support/runtime';
import { startBrowser } from '../support/browser';
import { closeDialog, openDialog, openEditor, showFlow } from '../support/editor';
import { asked, picture } from '../support/pictures';

const EDITOR = { width: 1280, height: 760 };
const DIALOG = { width: 1400, height: 900 };
/** Whatever size the editor has, its picture is 1000 pixels wide. */
const scale = ({ width }: { readonly width: number }): number => 1000 / width;

/** Flows that are shown whole, by the names of their pictures. */
const SHOWN = {
  'editor-routing': '01-routing-to-responsible.json',
  'editor-click-to-call': '07-click-to-call.json',
} as const;

const PEOPLE = [
  { extension: '101', userId: '5f1c8a0b27d94e3a1', name: 'Anna Smirnova' },
  { extension: '102', userId: '5f1c8a0b27d94e3a2', name: 'Boris Kuznetsov' },
  { extension: '103', userId: '5f1c8a0b27d94e3a3', name: 'Vera Orlova' },
];

// Pictures of the README: nothing is asserted here that other specs do not assert.
if (asked) {
  describe('the pictures of the editor', () => {
    const crm = { ...only(readExample('02-cdr-export-espocrm.json'), 'crm-config'), people: PEOPLE };
    const settings = { url: 'https://crm.example.com' };
    const flows: FlowNode[] = [
      ...Object.values(SHOWN).flatMap(readExample),
      ...readExample('02-cdr-export.json'),
      ...readExample('06-autocall-notification.json'),
      ...readExample('02-cdr-export-espocrm.json').filter(({ id }) => id !== crm.id),
      { ...crm, settings, credentials: { token: 'key' } },
    ];
    let nodeRed: PackInNodeRed;
    let browser: Browser;
    let page: Page;

    before(async () => {
      nodeRed = await startPack(flows);
      browser = await startBrowser();
    });
    after(async () => {
      await (browser as Browser | undefined)?.close();
      await (nodeRed as PackInNodeRed | undefined)?.stop();
    });
    afterEach(() => page.context().close());

    const idOf = (example: string, type: string): string => only(readExample(example), type).id;
    const tabOf = (example: string): string => idOf(example, 'tab');
    async function press(example: string, button: string): Promise<void> {
      const found = readExample(example).find(({ type, name }) => type === 'inject' && name === button);
      const { ok } = await fetch(`${nodeRed.url}/inject/${found?.id ?? ''}`, { method: 'POST' });
      assert.ok(ok, button);
    }
    const debugLines = () => page.locator('.red-ui-debug-msg');

    for (const [name, example] of Object.entries(SHOWN)) {
      it(name, async () => {
        page = await openEditor(browser, nodeRed.url, EDITOR, scale(EDITOR));
        await showFlow(page, tabOf(example));
        await page.click('#red-ui-tab-debug-link-button');
        const [button] = readExample(example).filter(({ type }) => type === 'inject');
        await press(example, String(button?.name));
        await debugLines().nth(1).waitFor({ timeout: 20_000 });
        await page.waitForTimeout(4000);
        await picture(page, name);
      });
    }

    it('dialog-crm-config', async () => {
      page = await openEditor(browser, nodeRed.url, DIALOG);
      await openDialog(page, crm.id);
      await picture(page.locator('.red-ui-tray'), 'dialog-crm-config');
      await closeDialog(page);
    });

    it('dialog-originate', async () => {
      page = await openEditor(browser, nodeRed.url, { ...DIALOG, height: 1200 });
      await openDialog(page, idOf('06-autocall-notification.json', 'originate'));
      await picture(page.locator('.red-ui-tray'), 'dialog-originate');
      await closeDialog(page);
    });
  });
}
