/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { hashPin } from '../../lib/agents/pins';
import amiConfig from '../../nodes/ami-config';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import screenPop from '../../nodes/screen-pop';
import { withPins } from '../nodes/support/agents';
import { FlowServer } from '../nodes/support/http';
import { deploy, load, node, unload, type FlowNode } from '../nodes/support/runtime';
import { UserDir } from '../nodes/support/store-flow';
import { chromiumPath, startBrowser } from '../support/browser';
import { canRun } from '../support/require-or-skip';
import { until } from '../support/wait';

/** A queue of the simulator: 101 answers. */
const QUEUE = '74951000170';

interface Look {
  readonly colorScheme: 'light' | 'dark';
  readonly locale: string;
  readonly width: number;
}

const NARROW: Look = { colorScheme: 'light', locale: 'ru-RU', width: 360 };
const WIDE: Look = { colorScheme: 'dark', locale: 'en-US', width: 1280 };

/** Runs in the page: what stands out too little from what lies behind it (WCAG AA: 4.5). */
function faintTexts(): string[] {
  const rgb = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: number[]): number => {
    const [r = 0, g = 0, b = 0] = colour.map((part) => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element: Element | null): number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].flatMap((element) => {
    const own = [...element.childNodes].some((each) => each.nodeType === Node.TEXT_NODE && each.textContent?.trim());
    if (!own || element.getClientRects().length === 0 || element.tagName === 'OPTION') return [];
    const [front, back] = [luminance(rgb(getComputedStyle(element).color)), luminance(behind(element))];
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    return contrast < 4.5 ? [`${element.textContent.trim().slice(0, 40)}: ${contrast.toFixed(1)}`] : [];
  });
}

/** Runs in the page: fields and buttons without a name, and everything that has no room. */
function flaws(): string[] {
  const shown = [...document.querySelectorAll<HTMLElement>('button, input, select, iframe, a')].filter(
    (each) => each.getClientRects().length > 0,
  );
  const nameless = shown.filter((each) => {
    const labels = (each as HTMLInputElement).labels?.length ?? 0;
    return !each.ariaLabel && each.title === '' && labels === 0 && each.textContent.trim() === '';
  });
  const small = shown.filter((each) => /BUTTON|INPUT|SELECT/.test(each.tagName) && each.clientHeight < 40);
  const { scrollWidth, clientWidth } = document.documentElement;
  return [
    ...nameless.map((each) => `no name: ${each.outerHTML.slice(0, 80)}`),
    ...small.map((each) => `small: ${each.outerHTML.slice(0, 80)}`),
    ...(scrollWidth > clientWidth ? [`${scrollWidth} px wide`] : []),
  ];
}

describe('the page of agents', () => {
  const server = new FlowServer();
  const userDir = new UserDir();
  const faults: string[] = [];
  let pins = withPins({});
  let browser: Browser;
  let page: Page;

  const pop = (more: Record<string, unknown> = {}): FlowNode => ({
    id: 'pop',
    type: 'screen-pop',
    z: 'tab',
    pbx: 'pbx',
    path: '/agent',
    agents: pins.agents,
    popAt: 'ringing',
    url: 'show_vars/?aon=%callerid%&operator=%agent_phone%',
    queues: true,
    reasons: 'Обед\nПерерыв',
    wires: [[]],
    ...more,
  });
  const flow = (more: Record<string, unknown> = {}): FlowNode[] => [
    { id: 'tab', type: 'tab' },
    { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' },
    pop(more),
  ];
  const simulator = () => (node('pbx') as AmiConfigNode).pbx.simulator!;
  const address = () => `http://127.0.0.1:${server.port}/agent`;

  async function open({ colorScheme, locale, width }: Look): Promise<void> {
    const viewport = { width, height: 740 };
    const context = await browser.newContext({ colorScheme, locale, viewport, reducedMotion: 'reduce' });
    // tsx wraps named functions into calls of this helper, which the page does not have.
    await context.addInitScript(`globalThis.__name = (f) => f; globalThis.moved = 0; globalThis.loads = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((each) => { if (!each.hadRecentInput) moved += each.value; }))
        .observe({ type: 'layout-shift', buffered: true });`);
    page = await context.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (line) => {
      if (/Content.Security.Policy/i.test(line.text())) faults.push(line.text());
    });
    await page.goto(address());
  }

  /** The channel of 105, once he has answered. */
  async function colleague(): Promise<string | undefined> {
    const rows = await (node('pbx') as AmiConfigNode).pbx.client.list({ action: 'CoreShowChannels' });
    const found = rows.find((row) => row.get('Channel')?.startsWith('PJSIP/105-') && row.get('ChannelState') === '6');
    return found?.get('Channel');
  }

  async function signIn(extension: string, pin: string): Promise<void> {
    await page.waitForSelector('#sign-in:not([hidden])');
    await page.fill('#extension', extension);
    await page.fill('#pin', pin);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#desk:not([hidden])');
  }

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    browser = await startBrowser();
    await server.listen();
    pins = withPins({ 101: await hashPin('4711'), 105: await hashPin('0815') });
    await load([server.init, userDir.init, amiConfig, screenPop], flow(), { credentials: { pop: pins.credentials } });
    await until(() => (node('pbx') as AmiConfigNode).pbx.calls.isKnown, 'the PBX');
  });

  afterEach(async () => {
    await (page as Page | undefined)?.context().close();
    assert.deepEqual(faults.splice(0), []);
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    await unload();
    await server.close();
    userDir.remove();
  });

  it('signs in, shows a call live, opens the card and hangs up', async () => {
    await open(NARROW);
    await page.waitForSelector('#sign-in:not([hidden])');
    await page.fill('#extension', '101');
    await page.fill('#pin', '0000');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#refusal')?.textContent.includes('Неверный'));
    await signIn('101', '4711');
    await page.waitForSelector('#presence.there');
    await page.evaluate('moved = 0');
    const over = simulator().call({ from: '79031112233', did: QUEUE });
    await page.waitForSelector('#calls .talking');
    assert.equal(await page.textContent('#calls .number'), '+79031112233');
    assert.match((await page.textContent('#announcer')) ?? '', /^$|79031112233/);
    const card = page.frameLocator('#frame').locator('table');
    assert.match((await card.textContent()) ?? '', /aon79031112233operator101/);
    assert.deepEqual(await page.evaluate(flaws), []);
    assert.ok(Number(await page.evaluate('moved')) < 0.05, 'the page jumps when a call comes');
    await page.click('#calls [data-action=hangup]');
    await page.waitForSelector('#no-calls:not([hidden])');
    await over;
    await page.click('#sign-out');
    await page.waitForSelector('#sign-in:not([hidden])');
  });

  for (const look of [NARROW, WIDE, { ...NARROW, colorScheme: 'dark' }, { ...WIDE, colorScheme: 'light' }] as const) {
    it(`reads well and fits, ${look.colorScheme}, ${look.width} px`, async () => {
      await open(look);
      await page.waitForSelector('#sign-in:not([hidden])');
      assert.deepEqual([await page.evaluate(faintTexts), await page.evaluate(flaws)], [[], []]);
      await signIn('101', '4711');
      await page.waitForSelector('#presence.there');
      assert.deepEqual([await page.evaluate(faintTexts), await page.evaluate(flaws)], [[], []]);
      const over = simulator().call({ from: '78124445566', did: QUEUE });
      await page.waitForSelector('#calls .ringing');
      assert.deepEqual([await page.evaluate(faintTexts), await page.evaluate(flaws)], [[], []]);
      await page.waitForSelector('#calls .talking');
      assert.deepEqual([await page.evaluate(faintTexts), await page.evaluate(flaws)], [[], []]);
      await over;
    });
  }

  it('does everything by the keyboard, and never loses the place', async () => {
    await open(WIDE);
    await page.waitForSelector('#sign-in:not([hidden])');
    const focused = () =>
      page.evaluate(() => {
        const { id, textContent } = document.activeElement ?? { id: '', textContent: '' };
        return id === '' ? textContent : id;
      });
    const tabTo = async (what: string): Promise<void> => {
      for (let i = 0; i < 20 && (await focused()) !== what; i += 1) await page.keyboard.press('Tab');
      assert.equal(await focused(), what);
    };
    await page.keyboard.type('101');
    await page.keyboard.press('Tab');
    await page.keyboard.type('4711');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#presence.there');
    await tabTo('reason');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#presence.away');
    assert.match((await page.textContent('#presence')) ?? '', /Перерыв/);
    assert.equal(await focused(), 'unpause');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#presence.there');
    assert.equal(await focused(), 'pause');
    const over = simulator().call({ from: '79031112233', did: QUEUE });
    await page.waitForSelector('#calls .talking');
    await page.focus('#calls-title');
    await tabTo('Hold');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#calls .held');
    assert.equal(await focused(), 'Resume');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#calls .talking');
    await tabTo('Hang up');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#no-calls:not([hidden])');
    assert.equal(await focused(), 'calls-title');
    await over;
  });

  it('shows the card once: after F5, in a second tab, over a deploy', async () => {
    await open(WIDE);
    await signIn('101', '4711');
    const loads: string[] = [];
    page.context().on('request', (sent) => {
      if (sent.url().includes('show_vars')) loads.push(sent.url());
    });
    const over = simulator().call({ from: '79031112233', did: QUEUE });
    await page.waitForSelector('#frame:not([hidden])');
    await deploy(flow({ name: 'another' }));
    await page.waitForFunction(() => document.querySelector('#link')?.textContent !== '');
    await page.waitForFunction(() => document.querySelector('#link')?.textContent === '');
    await over;
    assert.equal(loads.length, 1);
    await page.reload();
    await page.waitForSelector('#frame:not([hidden])');
    const second = await page.context().newPage();
    await second.goto(address());
    await second.waitForSelector('#frame:not([hidden])');
    assert.equal(loads.length, 3);
    await second.click('#sign-out');
    await page.waitForSelector('#sign-in:not([hidden])');
    assert.equal(await page.getAttribute('#frame', 'src'), null);
  });

  it('knows after F5 that a colleague is consulted, and takes the client back', async () => {
    await open(WIDE);
    await signIn('101', '4711');
    const over = simulator().call({ from: '79031112233', did: QUEUE, talkMs: 60_000 });
    await page.waitForSelector('#calls .talking');
    await page.fill('#calls .to', '105');
    await page.click('#calls [data-action=attended-transfer]');
    await page.waitForSelector('#calls [data-action=complete-transfer]:not([hidden])');
    await page.reload();
    await page.waitForSelector('#calls [data-action=complete-transfer]:not([hidden])');
    assert.equal(await page.isVisible('#calls [data-action=attended-transfer]'), false);
    await until(async () => (await colleague()) !== undefined, 'the colleague');
    await page.click('#calls [data-action=cancel-transfer]');
    await page.waitForSelector('#calls [data-action=attended-transfer]:not([hidden])');
    assert.equal(await page.isVisible('#calls [data-action=complete-transfer]'), false);
    await page.click('#calls [data-action=hangup]');
    await page.waitForSelector('#no-calls:not([hidden])');
    await over;
  });

  it('knows that a consultation is over when the colleague hangs up', async () => {
    await open(WIDE);
    await signIn('101', '4711');
    const over = simulator().call({ from: '79031112233', did: '74951000111', talkMs: 60_000 });
    await page.waitForSelector('#calls .talking');
    await page.fill('#calls .to', '105');
    await page.click('#calls [data-action=attended-transfer]');
    await page.waitForSelector('#calls [data-action=complete-transfer]:not([hidden])');
    for (const action of ['unhold', 'transfer', 'attended-transfer']) {
      assert.equal(await page.isVisible(`#calls [data-action=${action}]`), false, action);
    }
    await until(async () => (await colleague()) !== undefined, 'the colleague');
    const { client } = (node('pbx') as AmiConfigNode).pbx;
    await client.action({ action: 'Hangup', headers: { Channel: (await colleague())! } });
    await page.waitForSelector('#calls .talking [data-action=attended-transfer]:not([hidden])');
    assert.equal(await page.isVisible('#calls [data-action=complete-transfer]'), false);
    assert.equal(await page.textContent('#trouble'), '');
    await page.click('#calls [data-action=hangup]');
    await over;
  });

  it('takes back what went wrong with the next thing that works, or after a while', async () => {
    await open(NARROW);
    await signIn('101', '4711');
    await page.waitForSelector('#presence.there');
    await page.clock.install();
    const over = simulator().call({ from: '79031112233', did: '74951000111', talkMs: 60_000 });
    await page.waitForSelector('#calls .talking');
    const fail = async () => {
      await page.click('#calls [data-action=transfer]');
      await page.waitForSelector('#trouble:not(:empty)');
    };
    await fail();
    await page.click('#pause');
    await page.waitForSelector('#presence.away');
    await page.waitForSelector('#trouble:empty', { state: 'attached' });
    await page.click('#unpause');
    await page.waitForSelector('#presence.there');
    await fail();
    await page.clock.runFor(11_000);
    assert.equal(await page.textContent('#trouble'), '');
    await page.click('#calls [data-action=hangup]');
    await over;
  });

  it('promises nothing and takes no orders while the server is away', async () => {
    await open(WIDE);
    await signIn('101', '4711');
    await page.waitForSelector('#presence.there');
    const over = simulator().call({ from: '79031112233', did: '74951000111', talkMs: 60_000 });
    await page.waitForSelector('#calls .talking');
    const orders: string[] = [];
    page.on('request', (sent) => {
      if (sent.url().endsWith('/act')) orders.push(sent.url());
    });
    await page.route('**/agent/events*', (route) => route.abort());
    await deploy(flow({ name: 'away' }));
    await page.waitForSelector('#presence.gone');
    assert.equal(await page.textContent('#presence'), 'Not known at the moment');
    assert.equal(await page.locator('#desk button:visible:not([aria-disabled=true])').count(), 0);
    assert.deepEqual([await page.evaluate(faintTexts), await page.evaluate(flaws)], [[], []]);
    await page.focus('#calls [data-action=hangup]');
    await page.keyboard.press('Enter');
    await page.focus('#pause');
    await page.keyboard.press('Enter');
    assert.deepEqual(orders, []);
    await page.unroute('**/agent/events*');
    await page.waitForSelector('#presence.there');
    assert.equal(await page.locator('#desk button[aria-disabled=true]').count(), 0);
    await page.click('#calls [data-action=hangup]');
    await over;
  });

  it('calls the client by the name that a flow tells, in a tab that comes later too', async () => {
    await open(WIDE);
    await signIn('101', '4711');
    const over = simulator().call({ from: '79031112233', did: '74951000111', talkMs: 60_000 });
    await page.waitForSelector('#calls .talking');
    const [call] = (node('pbx') as AmiConfigNode).pbx.calls.current;
    const contact = { found: true, name: 'Ольга Иванова' };
    node('pop')!.receive({ topic: call!.topic, payload: call!.payload, contact });
    await page.waitForFunction(() => document.querySelector('#calls .number')?.textContent.includes('Ольга'));
    await page.reload();
    await page.waitForSelector('#calls .talking');
    assert.equal(await page.textContent('#calls .number'), 'Ольга Иванова +79031112233');
    await page.click('#calls [data-action=hangup]');
    await over;
  });

  it('opens one tab for a card that wants one, whoever has the page open twice, and keeps the link', async () => {
    await deploy(flow({ openIn: 'tab' }));
    await open(WIDE);
    await signIn('105', '0815');
    const context = page.context();
    const second = await context.newPage();
    await second.goto(address());
    await second.waitForSelector('#desk:not([hidden])');
    node('pop')!.receive({ payload: { extension: '105', url: `${address()}/show_vars/?x=1` } });
    await until(() => context.pages().length === 3, 'the tab');
    for (const each of [page, second]) await each.waitForSelector('#card-link:not([hidden])');
    assert.equal(await page.getAttribute('#card-link', 'href'), `${address()}/show_vars/?x=1`);
    assert.equal(context.pages().length, 3);
    await deploy(flow());
  });

  it('does not look signed out while the session is alive', async () => {
    await open(NARROW);
    await signIn('101', '4711');
    await page.route('**/sign-out', (route) => route.abort());
    await page.click('#sign-out');
    await page.waitForFunction(() => document.querySelector('#sign-out-trouble')?.textContent.includes('не вышли'));
    assert.deepEqual([await page.isVisible('#desk'), await page.isVisible('#sign-in')], [true, false]);
    await page.unroute('**/sign-out');
    await page.click('#sign-out');
    await page.waitForSelector('#sign-in:not([hidden])');
    assert.equal(await page.isVisible('#sign-out-trouble'), false);
    await page.reload();
    await page.waitForSelector('#sign-in:not([hidden])');
  });

  it('lets an agent join all queues and leave them at once, however many there are', async () => {
    await open(NARROW);
    await signIn('105', '0815');
    const orders: unknown[] = [];
    await page.route('**/agent/act', async (route) => {
      orders.push(route.request().postDataJSON());
      await route.fulfill({ json: {} });
    });
    for (const may of ['join', 'leave']) {
      const list = Array.from({ length: 60 }, (_, i) => ({ id: `q${i}`, joined: may === 'leave', may, paused: false }));
      const queues = { ready: true, list, reasons: [], freeReason: false };
      const state = { extension: '105', ready: true, calls: [], history: false, now: new Date().toISOString(), queues };
      // A stream that stays open: without one the page takes no orders.
      await page.addInitScript(`globalThis.EventSource = class extends EventTarget {
        constructor() {
          super();
          setTimeout(() => this.dispatchEvent(new MessageEvent('state', { data: ${JSON.stringify(JSON.stringify(state))} })));
        }
        close() {}
      };`);
      await page.reload();
      await page.waitForSelector('#queues li:nth-child(61)');
      await page.click('#queues [data-queue=""] button');
      await until(() => orders.length === (may === 'join' ? 1 : 2), 'the order');
    }
    assert.deepEqual(orders, [
      { action: 'queue-login', all: true },
      { action: 'queue-logout', all: true },
    ]);
  });
});
