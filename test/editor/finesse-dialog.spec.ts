import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { FinesseDouble } from '../doubles/finesse';
import { chromiumPath, startBrowser } from '../support/browser';
import { removeFolder, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';

type Saved = Readonly<Record<string, unknown>>;

const CC = 'f000000000000012';
const flows = [
  { id: 'f000000000000011', type: 'tab', label: 'Finesse' },
  { id: 'f000000000000013', type: 'comment', z: 'f000000000000011', name: 'here', info: '', x: 200, y: 100, wires: [] },
  {
    id: CC,
    type: 'finesse-config',
    name: 'CC',
    address: '',
    tls: '',
    agents: [],
    country: 'RU',
    extensions: '',
    dialAs: 'dialled',
    prefix: '9',
  },
];

describe('the dialog of finesse-config at work', () => {
  let nodeRed: RealNodeRed;
  let browser: Browser;
  let page: Page;
  let finesse: FinesseDouble;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    finesse = await new FinesseDouble().start();
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows });
    browser = await startBrowser();
    page = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1400, height: 1000 } })).newPage();
    await page.goto(nodeRed.url);
    await page.waitForSelector('.red-ui-flow-node');
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    await (finesse as FinesseDouble | undefined)?.stop();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  async function open(): Promise<void> {
    await page.evaluate((wanted) => {
      const { RED } = globalThis as unknown as {
        RED: { editor: { editConfig(name: string, type: string, id: string): void } };
      };
      RED.editor.editConfig('', 'finesse-config', wanted);
    }, CC);
    await page.waitForFunction(() => {
      const tray = document.querySelector('.red-ui-tray');
      return tray !== null && Number.parseInt(getComputedStyle(tray).right, 10) === 0;
    });
  }

  async function done(): Promise<void> {
    await page.locator('#node-config-dialog-ok').last().click();
    await page.waitForSelector('.red-ui-tray', { state: 'detached' });
  }

  async function deploy(): Promise<void> {
    await page.click('#red-ui-header-button-deploy');
    await page.waitForFunction(() => document.querySelector('#red-ui-header-button-deploy.disabled') !== null);
    await page.reload();
    await page.waitForSelector('.red-ui-flow-node');
  }

  const saved = (): Promise<Saved & { readonly valid: boolean }> =>
    page.evaluate((wanted) => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { node(id: string): { valid: boolean }; convertNode(node: unknown): Record<string, unknown> } };
      };
      const node = RED.nodes.node(wanted);
      return { ...RED.nodes.convertNode(node), valid: node.valid };
    }, CC);

  const report = (text: RegExp) =>
    page.waitForFunction(
      ([source = '']) =>
        new RegExp(source).test(document.querySelector('#telephony-finesse-report')?.textContent ?? ''),
      [text.source],
    );
  const rows = () => page.locator('#telephony-finesse-agents .telephony-finesse-row');
  /** The stored passwords, as far as the server tells of them. */
  const stored = async (): Promise<string[]> => {
    const told = await nodeRed.admin<Record<string, unknown>>('GET', `credentials/finesse-config/${CC}`);
    return Object.keys(told).filter((name) => told[name] === true);
  };

  it('takes agents from a pasted list, and leaves what it does not understand', async () => {
    await open();
    await page.fill('#node-config-input-address', finesse.origin);
    await page.click('#telephony-finesse-list');
    await page.fill(
      '#telephony-finesse-lines',
      '1001\tanna\tanna-Secret\nnonsense\n1002 boris wrong\n1002; boris; boris-Secret \n',
    );
    await page.click('#telephony-finesse-take');
    await report(/could not be understood: 1/);
    assert.equal(await page.inputValue('#telephony-finesse-lines'), 'nonsense');
    assert.equal(await rows().count(), 2);
    await page.click('#telephony-finesse-test');
    await report(/anna is signed in at 1001/);
    await rows().nth(1).locator('button').click();
    await report(/boris are right\. The agent is not signed in now/);
    await done();
    const { valid, agents } = await saved();
    assert.deepEqual(
      [valid, agents],
      [
        true,
        [
          { extension: '1001', login: 'anna', slot: 1 },
          { extension: '1002', login: 'boris', slot: 2 },
        ],
      ],
    );
    await deploy();
    assert.deepEqual(await stored(), ['has_password1', 'has_password2']);
  });

  it('keeps passwords where the browser never sees them again, and still tests with them', async () => {
    await open();
    assert.equal(await page.inputValue('#node-config-input-password1'), '__PWRD__');
    await page.click('#telephony-finesse-test');
    await report(/anna is signed in at 1001/);
    const flow = JSON.stringify(await nodeRed.admin('GET', 'flows'));
    assert.doesNotMatch(flow, /Secret/);
    await done();
  });

  it('changes one password, and deletes that of an agent who was taken out', async () => {
    await open();
    await rows().nth(1).locator('xpath=ancestor::li').locator('.red-ui-editableList-item-remove').click();
    await page.waitForFunction(
      () => document.querySelectorAll('#telephony-finesse-agents .telephony-finesse-row').length === 1,
    );
    await page.locator('.telephony-finesse .red-ui-editableList-addButton').click();
    await rows().nth(1).locator('.telephony-finesse-extension').fill('1001');
    await rows().nth(1).locator('.telephony-finesse-login').fill('carl');
    await done();
    assert.equal((await saved()).valid, false);
    await open();
    await rows().nth(1).locator('.telephony-finesse-extension').fill('1003');
    await rows().nth(1).locator('input[type=password]').fill('carl-Secret');
    await done();
    const { valid, agents } = await saved();
    assert.deepEqual([valid, (agents as Saved[]).map(({ slot }) => slot)], [true, [1, 3]]);
    await deploy();
    assert.deepEqual(await stored(), ['has_password1', 'has_password3']);
  });
});
