/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { hashPin } from '../../lib/agents/pins';
import amiConfig from '../../nodes/ami-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import screenPop from '../../nodes/screen-pop';
import { FlowServer } from '../nodes/support/http';
import { load, node, unload, type FlowNode } from '../nodes/support/runtime';
import { chromiumPath, startBrowser } from '../support/browser';
import { canRun } from '../support/require-or-skip';
import { until } from '../support/wait';

/** A queue of the simulator: 101 answers. */
const QUEUE = '74951000170';

describe('the page of agents', () => {
  const server = new FlowServer();
  const faults: string[] = [];
  let browser: Browser;
  let page: Page;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    browser = await startBrowser();
    await server.listen();
    const flow: FlowNode[] = [
      { id: 'tab', type: 'tab' },
      { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' },
      {
        id: 'pop',
        type: 'screen-pop',
        z: 'tab',
        pbx: 'pbx',
        path: '/agent',
        popAt: 'ringing',
        url: 'show_vars/?aon=%callerid%&operator=%agent_phone%',
        wires: [[]],
      },
    ];
    await load([server.init, amiConfig, screenPop], flow, {
      credentials: { pop: { pins: `101 ${await hashPin('4711')}` } },
    });
    await until(() => (node('pbx') as AmiConfigNode).pbx.client.state.phase === 'ready', 'the link');
    page = await (await browser.newContext({ locale: 'ru-RU', viewport: { width: 360, height: 740 } })).newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (line) => {
      if (/Content.Security.Policy/i.test(line.text())) faults.push(line.text());
    });
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    await unload();
    await server.close();
  });

  it('signs in, shows a call live, opens the card and hangs up', async () => {
    await page.goto(`http://127.0.0.1:${server.port}/agent`);
    await page.waitForSelector('#sign-in:not([hidden])');
    await page.fill('#extension', '101');
    await page.fill('#pin', '0000');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#refusal')?.textContent.includes('Неверный'));
    await page.fill('#pin', '4711');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#desk:not([hidden])');
    const over = (node('pbx') as AmiConfigNode).pbx.simulator!.call({ from: '79031112233', did: QUEUE });
    await page.waitForSelector('#calls .talking');
    assert.equal(await page.textContent('#calls .number'), '+79031112233');
    const card = page.frameLocator('#frame').locator('table');
    assert.match((await card.textContent()) ?? '', /aon79031112233operator101/);
    const widest = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(widest <= 360, `the page is ${widest} px wide`);
    await page.click('#calls [data-action=hangup]');
    await page.waitForSelector('#no-calls:not([hidden])');
    await over;
    await page.click('#sign-out');
    await page.waitForSelector('#sign-in:not([hidden])');
    assert.deepEqual(faults, []);
  });
});
