/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { hashPin } from '../../lib/agents/pins';
import { withPins } from '../nodes/support/agents';
import { chromiumPath, startBrowser } from '../support/browser';
import { removeFolder, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed, StartOptions } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';

/** `user` and `pass`, as Node-RED wants its hash: bcrypt. */
const AUTH = { username: 'user', password: 'pass' };
const HASH = '$2b$08$7M2c0u7vwzmW6i9ZzdbKgeFSQBnw81.LoV68UI20XU/6jyZmNbCf6';

describe('the page of agents over a kill of Node-RED', () => {
  let nodeRed: RealNodeRed | undefined;
  let browser: Browser | undefined;
  let page: Page;
  let options: StartOptions;
  const faults: string[] = [];

  const text = (selector: string): Promise<string | null> => page.textContent(selector);
  const kill = async (): Promise<void> => {
    process.kill(nodeRed!.pid, 'SIGKILL');
    await nodeRed!.stop();
  };

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    const userDir = await userDirWithPack();
    const settings = `httpNodeRoot: '/flows', httpNodeAuth: { user: '${AUTH.username}', pass: '${HASH}' }`;
    nodeRed = await startNodeRed({ userDir, settings });
    options = { userDir, settings, port: Number(new URL(nodeRed.url).port) };
    const { agents, credentials } = withPins({ 101: await hashPin('4711') });
    await nodeRed.deploy([
      { id: 'tab', type: 'tab', label: 'agents' },
      { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator' },
      {
        id: 'pop',
        type: 'screen-pop',
        z: 'tab',
        x: 100,
        y: 100,
        pbx: 'pbx',
        path: '/agent',
        agents,
        popAt: 'ringing',
        url: 'show_vars/?aon=%callerid%',
        queues: true,
        wires: [[]],
        credentials,
      },
    ]);
    browser = await startBrowser();
    page = await (await browser.newContext({ httpCredentials: AUTH, locale: 'en-US' })).newPage();
    page.on('pageerror', (error) => faults.push(error.message));
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
    if (nodeRed) await removeFolder(nodeRed.userDir);
  });

  it('is served below httpNodeRoot, behind httpNodeAuth', async () => {
    const url = `${nodeRed!.url}/flows/agent`;
    assert.equal((await fetch(url)).status, 401);
    await page.goto(url);
    await page.waitForSelector('#sign-in:not([hidden])');
    await page.fill('#extension', '101');
    await page.fill('#pin', '4711');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#presence.there');
    const [cookie] = await page.context().cookies(`${url}/`);
    assert.equal(cookie?.path, '/flows/agent/');
  });

  it('lets nobody past httpNodeAuth by a body that no parser can read', async () => {
    const at = (what: string) => `${nodeRed!.url}/flows/agent/${what}`;
    const enter = (type: string) =>
      fetch(at('session'), {
        method: 'POST',
        headers: { 'content-type': type, 'x-telephony-crm': '1' },
        body: '{"extension":"101","pin":"4711"}',
      });
    assert.equal((await enter('application/json')).status, 401);
    const odd = await enter('application/json; charset=koi8-r');
    assert.deepEqual([odd.status, odd.headers.get('set-cookie')], [415, null]);
  });

  it('tells the editor of no hash of a PIN, and keeps its key for itself', async () => {
    const told = await nodeRed!.admin<Record<string, unknown>>('GET', 'credentials/screen-pop/pop');
    assert.deepEqual([told.has_pin1, told.has_pin2], [true, false]);
    assert.doesNotMatch(JSON.stringify(told), /scrypt/);
    const { mode, size } = await stat(join(nodeRed!.userDir, 'telephony-crm', 'agents.key'));
    assert.equal(mode & 0o077, 0);
    assert.ok(size >= 32);
  });

  it('stays as it is when Node-RED is killed, and is at work again without signing in when it is back', async () => {
    await page.evaluate(() => (document.body.dataset.same = 'yes'));
    await kill();
    await page.waitForFunction(() => document.querySelector('#link')?.textContent !== '');
    assert.match((await text('#link')) ?? '', /No connection/);
    assert.equal(await page.isVisible('#desk'), true);
    nodeRed = await startNodeRed(options);
    await page.waitForFunction(() => document.querySelector('#link')?.textContent === '', undefined, {
      timeout: 60_000,
    });
    await page.waitForSelector('#presence.there');
    assert.equal(await page.isVisible('#sign-in'), false);
    assert.equal(await page.evaluate(() => document.body.dataset.same), 'yes');
    await page.reload();
    await page.waitForSelector('#presence.there');
    assert.deepEqual(faults, []);
  });
});
