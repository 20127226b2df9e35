/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { readExample } from '../nodes/support/example-flows';
import { chromiumPath, startBrowser } from '../support/browser';
import { picture } from '../support/pictures';
import { removeFolder, startNodeRed, userDirWithPack, type RealNodeRed } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';
import { until } from '../support/wait';

const QUEUE = '74951000170';
const LONG = 30_000;

describe('the wallboard', () => {
  const example = readExample('09-wallboard.json');
  /** The four calls of the button, with the short talks that the simulator has by itself. */
  const fourCalls = (
    JSON.parse(
      String(example.find(({ name }) => name === 'four clients call the queue')?.payload),
    ) as readonly Readonly<Record<string, unknown>>[]
  ).map((call) => ({ ...call, talkSeconds: undefined }));
  const faults: string[] = [];
  let browser: Browser;
  let nodeRed: RealNodeRed;
  let page: Page;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows: example });
    browser = await startBrowser();
    page = await open({ locale: 'ru-RU', colorScheme: 'light', viewport: { width: 1280, height: 800 } });
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  async function open(options: BrowserContextOptions): Promise<Page> {
    const opened = await (await browser.newContext(options)).newPage();
    opened.on('pageerror', (error) => faults.push(error.message));
    opened.on('console', (line) => {
      if (/Content.Security.Policy/i.test(line.text())) faults.push(line.text());
    });
    opened.on('request', (request) => {
      if (!request.url().startsWith(nodeRed.url)) faults.push(request.url());
    });
    await opened.goto(`${nodeRed.url}/wallboard`);
    await opened.waitForSelector('[data-queue=support]', { timeout: LONG });
    return opened;
  }
  /** Presses a button of the flow, or the one of this name with another payload. */
  async function press(name: string, payload?: object): Promise<void> {
    const button = example.find((each) => each.type === 'inject' && each.name === name) ?? assert.fail(name);
    const props = [{ p: 'payload', v: JSON.stringify(payload), vt: 'json' }];
    const { ok } = await fetch(`${nodeRed.url}/inject/${button.id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload ? { __user_inject_props__: props } : {}),
    });
    assert.ok(ok, name);
  }
  const shows = (text: RegExp, where = '#queues', on = page): Promise<unknown> =>
    until(async () => text.test((await on.textContent(where)) ?? ''), `${where} to show ${text.source}`, LONG);

  it('shows who waits and what the agents do, and counts the calls of the day', async () => {
    await shows(/ждут сейчас0.*звонков сегодня0.*свободны 2.*Анна Смирнова \(101\)/s);
    await press('101 goes to lunch');
    await shows(/свободны 1 · пауза 1.*Анна Смирнова \(101\) · пауза: lunch/s);
    await press('four clients call the queue', fourCalls);
    await shows(/ждут сейчас[34]/);
    await shows(/Дарья Лебедева \(105\) · разговор/);
    await press('101 comes back');
    await shows(/ждут сейчас0.*звонков сегодня4отвечено4не дождались0.*100\s%/s);
    await shows(/За последние 7 дней таких нет/, 'main');
  });

  it('lists the missed calls; what a caller calls himself stays a text', async () => {
    const name = '<script>document.title="x"</script><img src=x>';
    await press('a client gives up', { from: '84951343061', did: QUEUE, name, patienceSeconds: 0.5 });
    await press('nobody takes a call');
    await shows(/\+74951343061<script>document\.title="x"<\/script><img src=x>support/, '#missed');
    await shows(/\+79031112233/, '#missed');
    await shows(/звонков сегодня5отвечено4не дождались1.*80\s%/s);
    assert.equal(await page.locator('main script, main img').count(), 0);
    assert.equal(await page.title(), 'Колл-центр');
    // Whoever is talked with goes from the list.
    await press('a client gives up', { from: '84951343061', did: QUEUE });
    await until(async () => !((await page.textContent('#missed')) ?? '').includes('4951343061'), 'the row to go', LONG);
  });

  it('takes no order from whoever opens it', async () => {
    const answer = await fetch(`${nodeRed.url}/wallboard/data?action=pause&extension=105&queue=nope`);
    const { queues } = (await answer.json()) as { queues: { id: string }[] };
    assert.deepEqual([answer.status, queues.map(({ id }) => id)], [200, ['support']]);
  });

  it('fits a phone, and speaks English there', async () => {
    const phone = await open({ locale: 'en-US', colorScheme: 'dark', viewport: { width: 360, height: 740 } });
    await shows(/waiting now.*service level 20 s/s, '#queues', phone);
    const widest = await phone.evaluate(() => document.documentElement.scrollWidth);
    const back = await phone.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.ok(widest <= 360, `the page is ${widest} px wide`);
    assert.equal(back, 'rgb(14, 20, 27)');
    await inFolder(phone, 'phone');
    await phone.context().close();
  });

  it('is shown in the README', async () => {
    for (const row of [/ООО «Вектор»support× 1/, /ООО «Вектор»support× 2/]) {
      await press('a client gives up');
      await shows(row, '#missed');
    }
    await press('101 goes to lunch');
    await press('four clients call the queue');
    const english = await open({ locale: 'en-US', colorScheme: 'light', viewport: { width: 1200, height: 560 } });
    await shows(/Дарья Лебедева \(105\) · talking/, '#queues', english);
    await shows(/ООО «Вектор»/, '#missed', english);
    await picture(english, 'wallboard');
    await picture(english.locator('section:has(#missed)'), 'report-missed');
    await english.context().close();
    await press('101 comes back');
    assert.deepEqual(faults, []);
  });

  it('says so when its numbers are old: the PBX is away, then Node-RED, and comes back from both', async () => {
    await shows(/^$/, '#stale');
    const away = { mode: 'asterisk', host: '127.0.0.1', port: '9', credentials: { username: 'a', secret: 'b' } };
    await nodeRed.deploy(example.map((each) => (each.type === 'ami-config' ? { ...each, ...away } : each)));
    await shows(/Данные устарели: последние пришли в \d\d:\d\d:\d\d\. \S/, '#stale');
    await page.waitForSelector('.is-stale #stale:not([hidden])');
    assert.match(await page.title(), /^⚠/);
    await shows(/support.*Анна/s);
    await nodeRed.deploy(example);
    await page.waitForSelector('body:not(.is-stale)', { timeout: LONG });
    await nodeRed.stop();
    await shows(/Node-RED не отвечает/, '#stale');
  });

  /** What no page shows is for whoever wants to look at it: `SCREENSHOTS_FOLDER`. */
  async function inFolder(of: Page, name: string): Promise<void> {
    const folder = process.env.SCREENSHOTS_FOLDER ?? '';
    if (folder === '') return;
    mkdirSync(folder, { recursive: true });
    await of.screenshot({ path: join(folder, `${name}.png`) });
  }
});
