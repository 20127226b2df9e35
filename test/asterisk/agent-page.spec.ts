/// <reference lib="dom" />
import assert from 'node:assert/strict';
import type { Browser, Locator, Page } from 'playwright-core';
import { hashPin } from '../../lib/agents/pins';
import { withPins } from '../nodes/support/agents';
import { chromiumPath, startBrowser } from '../support/browser';
import { closeDialog, openDialog, openEditor } from '../support/editor';
import { asked, picture, PICTURE } from '../support/pictures';
import { canRun } from '../support/require-or-skip';
import { until } from '../support/wait';
import { REAL_PBX } from './support/order-flow';
import { exampleFlow, type PackInNodeRed, startPack } from './support/pack-in-node-red';
import { describeAsterisk } from './support/roots';
import { SipPhone } from './support/sip/phone';
import { TestBed } from './support/test-bed';

const QUEUE = '74951000202';
const PINS = { '101': '4711', '102': '0815', '103': '2342' } as const;
/** Petrov of the demo CRM; his provider sends no name. */
const CLIENT = { fromNumber: '+74951343060', fromName: '' } as const;
type Agent = keyof typeof PINS;

describeAsterisk('the page of agents', (version) => {
  let bed: TestBed;
  /** Of an agent who is in no queue until he joins one. */
  let phone: SipPhone;
  let nodeRed: PackInNodeRed;
  let browser: Browser;
  const pages: Page[] = [];
  const faults: string[] = [];

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    bed = await TestBed.start({ version });
    phone = await SipPhone.registered({ server: bed.asterisk.sipPort, user: '103' });
    const hashes = await Promise.all(
      Object.entries(PINS).map(async ([who, pin]) => [who, await hashPin(pin)] as const),
    );
    const settings: Readonly<Record<string, object>> = {
      'ami-config': { ...REAL_PBX(bed.asterisk.amiPort), trunks: 'provider', trunkContexts: 'from-trunk' },
      'screen-pop': withPins(Object.fromEntries(hashes)),
    };
    nodeRed = await startPack(exampleFlow('11-agent-page').map((node) => ({ ...node, ...settings[node.type] })));
    await until(
      async () => (await bed.asterisk.cli('manager show connected')).includes('crm-dial'),
      'the link',
      20_000,
    );
    browser = await startBrowser();
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    await (nodeRed as PackInNodeRed | undefined)?.stop();
    (phone as SipPhone | undefined)?.close();
    await (bed as TestBed | undefined)?.stop();
  });
  beforeEach(() => bed.reset());
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    await bed.hangUpAll();
    assert.deepEqual(faults.splice(0), []);
  });

  async function open(locale = 'en-US'): Promise<Page> {
    const page = await (await browser.newContext({ locale, viewport: PICTURE })).newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (line) => {
      if (/Content.Security.Policy/i.test(line.text())) faults.push(line.text());
    });
    pages.push(page);
    await page.goto(`${nodeRed.url}/agents`);
    await page.waitForSelector('#sign-in:not([hidden])');
    return page;
  }
  async function signIn(agent: Agent, page: Page): Promise<Page> {
    await page.fill('#extension', agent);
    await page.fill('#pin', PINS[agent]);
    await page.click('#sign-in button[type=submit]');
    await page.waitForSelector('#desk:not([hidden])');
    return page;
  }
  const press = (page: Page, action: string): Promise<void> => page.click(`#calls [data-action=${action}]`);
  const channels = async (): Promise<string[]> =>
    (await bed.asterisk.cli('core show channels concise')).split('\n').filter((line) => line.includes('!'));
  /** How many are in a bridge; the console tells the bridge last but one. */
  const bridged = async (): Promise<number> =>
    (await channels()).filter((line) => (line.split('!').at(-2) ?? '') !== '').length;

  /** Waits until the console tells this of the queue. */
  const queueShows = (text: RegExp): Promise<void> =>
    until(async () => text.test(await bed.asterisk.cli('queue show support')), `the queue to show ${text.source}`);
  const ofQueue = (page: Page): Locator => page.locator('#queues li[data-queue=support]').getByRole('button');
  async function pause(page: Page, reason: string): Promise<void> {
    await page.selectOption('#reason', reason);
    await page.click('#pause');
    await page.waitForSelector('#presence.away');
    assert.match((await page.textContent('#presence')) ?? '', new RegExp(reason));
  }

  it('shows a call of a queue to who gets it only, with the card of the client; its buttons work', async () => {
    const page = await open();
    await page.fill('#extension', '103');
    await picture(page, 'agent-sign-in', { bottom: '#sign-in' });
    await signIn('103', page);
    const others = [await signIn('101', await open()), await signIn('102', await open())] as const;
    const [, colleague] = others;
    await pause(others[0], 'Lunch');
    await pause(colleague, 'Training');
    await queueShows(/PJSIP\/101\W.*paused:Lunch/);
    await queueShows(/PJSIP\/102\W.*paused:Training/);
    await ofQueue(page).click();
    await queueShows(/PJSIP\/103/);
    await page.waitForSelector('#presence.there');
    const russian = await signIn('103', await open('ru-RU'));

    const call = bed.call(QUEUE, CLIENT);
    const rings = await phone.nextCall();
    await page.waitForSelector('#calls .ringing');
    await page.frameLocator('#frame').getByRole('heading', { name: 'Петров АА' }).waitFor();
    rings.answer();
    await page.waitForSelector('#calls .talking');
    assert.equal(await page.textContent('#calls .number'), `Петров АА ${CLIENT.fromNumber}`);
    assert.match((await page.textContent('#calls .about')) ?? '', /support · 74951000202/);
    await page.evaluate(() => scrollTo(0, 0));
    await picture(page, 'agent-page');
    await russian.frameLocator('#frame').getByRole('heading', { name: 'Петров АА' }).waitFor();
    await picture(russian, 'agent-page-ru');

    await press(page, 'hold');
    await page.waitForSelector('#calls .held');
    await until(async () => (await bridged()) === 0 && (await channels()).length === 2, 'both with the music');
    await press(page, 'unhold');
    await page.waitForSelector('#calls .talking');
    await until(async () => (await bridged()) === 2, 'both back');
    for (const other of others) {
      for (const what of ['#calls li', '#frame:not([hidden])', '#notes li']) {
        assert.equal(await other.locator(what).count(), 0, what);
      }
    }

    bed.phones['102'].reset('ring');
    await page.fill('#calls .to', '102');
    await press(page, 'transfer');
    const next = await bed.phones['102'].nextCall();
    await rings.ended;
    await page.waitForSelector('#no-calls:not([hidden])');
    next.answer();
    await colleague.waitForSelector('#calls .talking');
    await colleague.frameLocator('#frame').getByRole('heading', { name: 'Петров АА' }).waitFor();
    await press(colleague, 'hangup');
    await Promise.all([call.ended, next.ended]);
    await colleague.waitForSelector('#no-calls:not([hidden])');
    assert.deepEqual(await channels(), []);
    await colleague.waitForSelector('#history li');

    await colleague.click('#unpause');
    await colleague.waitForSelector('#presence.there');
    await queueShows(/PJSIP\/102(?!.*paused)/);
    await ofQueue(page).click();
    await queueShows(/^(?![^]*PJSIP\/103)/);
  });

  it('shows the sales script of a caller whom the CRM does not know', async () => {
    const page = await signIn('101', await open());
    const call = bed.call('74951000101', { fromNumber: '+74957654321', fromName: '' });
    await page.waitForSelector('#calls .talking');
    const script = page.frameLocator('#frame').locator('body');
    await script.getByText('Sales script').waitFor();
    assert.match((await script.textContent()) ?? '', /74957654321/);
    await press(page, 'hangup');
    await call.ended;
  });

  it('is set up in the editor, which tells what the user of the AMI may do', async () => {
    const pbx = exampleFlow('11-agent-page').find(({ type }) => type === 'ami-config')?.id ?? '';
    const editor = await openEditor(browser, nodeRed.url, { width: 1400, height: 1450 });
    pages.push(editor);
    await openDialog(editor, pbx);
    await editor.click('#telephony-ami-out > summary');
    await editor.click('#telephony-ami-test');
    const report = editor.locator('#telephony-ami-report pre');
    await report.waitFor();
    assert.match((await report.textContent()) ?? '', /^\[crm-dial\]$/m);
    // As high as the dialog with the result of the test is.
    await editor.locator('#node-config-input-name').scrollIntoViewIfNeeded();
    const hidden = await editor.locator('#telephony-ami-recording').evaluate((last) => {
      const bottom = document.querySelector('.red-ui-tray-footer')?.getBoundingClientRect().top ?? 0;
      return Math.max(0, Math.ceil(last.getBoundingClientRect().bottom - bottom) + 20);
    });
    if (asked) await editor.setViewportSize({ width: 1400, height: 1450 + hidden });
    await picture(editor.locator('.red-ui-tray'), 'dialog-ami-config');
    await closeDialog(editor);
  });
});
