/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, startBrowser } from '../support/browser';
import { openDialog, openEditor } from '../support/editor';
import { removeFolder, repository, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';

const POP = 'bbc0de0000000053';
const KEPT = ['tab', 'ami-config', 'crm-config', 'store-config', 'screen-pop'];

/** The page of the example, alone. */
async function flows(): Promise<Record<string, unknown>[]> {
  const example = await readFile(join(repository, 'examples', '11-agent-page.json'), 'utf8');
  return (JSON.parse(example) as Record<string, unknown>[])
    .filter(({ type }) => KEPT.includes(String(type)))
    .map((each) => (each.id === POP ? { ...each, wires: [[]] } : each));
}

describe('the PINs in the dialog of screen-pop', () => {
  let nodeRed: RealNodeRed;
  let browser: Browser;
  let page: Page;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows: await flows() });
    browser = await startBrowser();
    page = await openEditor(browser, nodeRed.url, { width: 1400, height: 1000 });
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  async function setPin(extension: string, pin: string): Promise<void> {
    await page.fill('#telephony-pop-extension', extension);
    await page.fill('#telephony-pop-pin', pin);
    await page.click('#telephony-pop-add');
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('#telephony-pop-extension')?.value === '',
    );
  }

  async function deploy(): Promise<void> {
    await page.locator('#node-dialog-ok').last().click();
    await page.waitForSelector('.red-ui-tray', { state: 'detached' });
    await page.click('#red-ui-header-button-deploy');
    await page.waitForFunction(() => document.querySelector('#red-ui-header-button-deploy.disabled') !== null);
    await page.reload();
    await page.waitForSelector('.red-ui-flow-node');
  }

  const listed = (): Promise<string[]> =>
    page.evaluate(() =>
      [...document.querySelectorAll('#telephony-pop-agents li')].map((each) => each.textContent.trim()),
    );
  const enter = async (extension: string, pin: string): Promise<number> => {
    const headers = { 'content-type': 'application/json', 'x-telephony-crm': '1' };
    const body = JSON.stringify({ extension, pin });
    return (await fetch(`${nodeRed.url}/agents/session`, { method: 'POST', headers, body })).status;
  };

  it('let the agents in, and are told to no browser again', async () => {
    await openDialog(page, POP);
    await page.fill('#telephony-pop-extension', '101');
    await page.fill('#telephony-pop-pin', '123');
    await page.click('#telephony-pop-add');
    await page.waitForFunction(() =>
      document.querySelector('#telephony-pop-told')?.textContent.startsWith('A PIN has 4'),
    );
    await setPin('101', '471100');
    await setPin('102', '081500');
    assert.deepEqual(await listed(), ['101', '102']);
    await deploy();
    assert.deepEqual([await enter('101', '471100'), await enter('102', '081500')], [200, 200]);
    await openDialog(page, POP);
    assert.deepEqual(await listed(), ['101', '102']);
    for (const path of ['flows', `credentials/screen-pop/${POP}`])
      assert.doesNotMatch(JSON.stringify(await nodeRed.admin('GET', path)), /scrypt/);
  });

  it('are changed and taken away one by one', async () => {
    await setPin('102', '999900');
    await page.locator('#telephony-pop-agents li').first().locator('button').click();
    assert.deepEqual(await listed(), ['102']);
    await setPin('103', '234200');
    await deploy();
    assert.deepEqual([await enter('101', '471100'), await enter('102', '081500')], [401, 401]);
    assert.deepEqual([await enter('102', '999900'), await enter('103', '234200')], [200, 200]);
    const told = await nodeRed.admin<Record<string, unknown>>('GET', `credentials/screen-pop/${POP}`);
    assert.deepEqual(
      Object.keys(told).filter((name) => told[name] === true),
      ['has_pin1', 'has_pin2'],
    );
  });
});
