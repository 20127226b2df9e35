import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { FlowServer } from '../nodes/support/http';
import { routeFlow, routeNodes } from '../nodes/support/route-flow';
import { load, unload } from '../nodes/support/runtime';
import { chromiumPath, startBrowser } from '../support/browser';
import { canRun } from '../support/require-or-skip';

const NAME = 'node-red.company.com';
const FOUND = [302, 'https://crm.example/contact/2'];

describe('the card in a browser', () => {
  const server = new FlowServer();
  /** The desktop of the agents: a page of another site. */
  const desktop: Server = createServer((_req, res) => res.end('<!doctype html><title>desktop</title>'));
  let browser: Browser;
  let page: Page;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    browser = await startBrowser([`--host-resolver-rules=MAP ${NAME} 127.0.0.1`]);
    await server.listen();
    desktop.listen(0, '127.0.0.1');
    await once(desktop, 'listening');
  });

  afterEach(unload);

  after(async () => {
    await (browser as Browser | undefined)?.close();
    desktop.close();
    await server.close();
  });

  async function open(credentials: Readonly<Record<string, string>> = {}): Promise<void> {
    await load([server.init, ...routeNodes], routeFlow({ protocols: ['card'] }), { credentials: { in: credentials } });
    page = await (await browser.newContext()).newPage();
    await page.goto(`http://localhost:${(desktop.address() as AddressInfo).port}/`);
  }

  /** What the endpoint answers when the desktop runs this on the address of the card: the status, and where it leads. */
  async function answerTo(script: string, more = '', host = '127.0.0.1') {
    const address = `http://${host}:${server.port}/card?phone=84951343060${more}`;
    const answered = page.context().waitForEvent('response', (response) => response.url() === address);
    await page.evaluate(`{ const address = ${JSON.stringify(address)}; ${script}; }`);
    const response = await answered;
    return [response.status(), (await response.allHeaders()).location];
  }

  it('opens in a tab from the page of somebody else, and answers to nothing that the page asks by itself', async () => {
    await open();
    assert.deepEqual(await answerTo('window.open(address)'), FOUND);
    const frame = "document.body.append(Object.assign(document.createElement('iframe'), { src: address }))";
    for (const script of ["void fetch(address, { mode: 'no-cors' })", 'new Image().src = address', frame])
      assert.deepEqual(await answerTo(script), [403, undefined], script);
  });

  it('opens by plain http on another machine with the key in the address', async () => {
    await open({ apiKey: 'card-key' });
    assert.deepEqual(await answerTo('window.open(address)', '', NAME), [401, undefined]);
    assert.deepEqual(await answerTo('window.open(address)', '&key=card-key', NAME), FOUND);
    assert.deepEqual(await answerTo('window.open(address)', '&key=wrong', NAME), [401, undefined]);
  });
});
