import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { crmKinds } from '../../lib/crm/kinds';
import { chromiumPath, startBrowser } from '../support/browser';
import { FakeCrm, json } from '../support/fake-crm';
import { removeFolder, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';

type Saved = Readonly<Record<string, unknown>>;

const flows = [
  { id: 'f000000000000001', type: 'tab', label: 'CRM' },
  {
    id: 'f000000000000002',
    type: 'crm-config',
    name: 'CRM',
    kind: 'demo',
    settings: { mode: 'normal', delayMs: '0' },
    people: [
      { extension: '901', userId: '1', name: '' },
      { extension: '102', userId: '', name: 'Boris' },
      { extension: '999', userId: '99', name: 'Long gone' },
    ],
    tls: '',
  },
  {
    id: 'f000000000000003',
    type: 'usercrm-in',
    z: 'f000000000000001',
    name: '',
    path: '',
    protocols: ['itgrix'],
    allowList: '127.0.0.1, ::1',
    asyncAgi: false,
    pbx: '',
    agiTag: 'telephony-crm',
    deadline: '3',
    actions: ['route'],
    outputs: 1,
    x: 200,
    y: 100,
    wires: [['f000000000000004']],
  },
  {
    id: 'f000000000000004',
    type: 'crm-lookup',
    z: 'f000000000000001',
    name: '',
    crm: 'f000000000000002',
    pbx: '',
    phone: 'payload.phone',
    output: 'contact',
    deadline: '2',
    inUseIsFit: false,
    substitutes: [],
    defaultSubstitute: '',
    country: 'RU',
    x: 400,
    y: 100,
    wires: [[], []],
  },
];

const [, CRM, ENDPOINT, LOOKUP] = flows.map((node) => node.id) as [string, string, string, string];

describe('the dialogs of CRM and endpoint at work', () => {
  let nodeRed: RealNodeRed;
  let browser: Browser;
  let page: Page;
  let crm: FakeCrm;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    crm = await new FakeCrm(
      json({ action: 'get_users', obj: 'UserCRM', code: 200, body: [{ id: '5', name: 'Rita' }] }),
    ).start();
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows });
    browser = await startBrowser();
    page = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1400, height: 1000 } })).newPage();
    await page.goto(nodeRed.url);
    await page.waitForSelector('.red-ui-flow-node');
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    await (crm as FakeCrm | undefined)?.stop();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  async function open(id: string): Promise<void> {
    await page.evaluate((wanted) => {
      const { RED } = globalThis as unknown as {
        RED: {
          nodes: { node(id: string): { _def: { category: string }; type: string } };
          editor: { edit(node: unknown): void; editConfig(name: string, type: string, id: string): void };
        };
      };
      const node = RED.nodes.node(wanted);
      if (node._def.category === 'config') RED.editor.editConfig('', node.type, wanted);
      else RED.editor.edit(node);
    }, id);
    await page.waitForFunction(() => {
      const tray = document.querySelector('.red-ui-tray');
      return tray !== null && Number.parseInt(getComputedStyle(tray).right, 10) === 0;
    });
  }

  async function done(): Promise<void> {
    await page.locator('#node-dialog-ok, #node-config-dialog-ok').last().click();
    await page.waitForSelector('.red-ui-tray', { state: 'detached' });
  }

  /** A node as a deploy would send it, with whether the editor finds it in order. */
  const saved = (id: string): Promise<Saved & { readonly valid: boolean }> =>
    page.evaluate((wanted) => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { node(id: string): { valid: boolean }; convertNode(node: unknown): Record<string, unknown> } };
      };
      const node = RED.nodes.node(wanted);
      return { ...RED.nodes.convertNode(node), valid: node.valid };
    }, id);

  const report = (text: string | RegExp) =>
    page.waitForFunction(
      ([source = '']) => new RegExp(source).test(document.querySelector('#telephony-crm-report')?.textContent ?? ''),
      [typeof text === 'string' ? text : text.source],
    );
  const shown = (selector: string) => page.locator(selector).isVisible();

  it('gives every label of every CRM one line, in both languages', async () => {
    await open(CRM);
    const labels = crmKinds
      .flatMap(({ fields, deliveryFields = [] }) => [...fields, ...deliveryFields])
      .filter(({ type }) => type !== 'pairs' && type !== 'table')
      .flatMap(({ label, type }) => [label.en, label.ru].map((text) => ({ text, isSecret: type === 'secret' })));
    const wrapped = await page.evaluate((all) => {
      const row = document.createElement('div');
      row.className = 'form-row';
      document.querySelector('#telephony-crm-fields')?.append(row);
      const label = document.createElement('label');
      row.append(label);
      label.textContent = 'x';
      const line = label.offsetHeight;
      const tooLong = all.filter(({ text, isSecret }) => {
        label.innerHTML = isSecret ? '<i class="fa fa-key"></i> <span></span>' : '<span></span>';
        label.querySelector('span')?.append(text);
        return label.offsetHeight > line * 1.5;
      });
      row.remove();
      return tooLong.map(({ text }) => text);
    }, labels);
    await page.click('#node-config-dialog-cancel');
    await page.waitForSelector('.red-ui-tray', { state: 'detached' });
    assert.deepEqual(wrapped, []);
  });

  it('offers to make a client of an unknown number, and the users of the table as responsible', async () => {
    await open(LOOKUP);
    await page.waitForFunction(() => document.querySelectorAll('#node-input-createType option').length === 3);
    assert.equal(await page.isVisible('#node-input-createOwner'), false);
    await page.selectOption('#node-input-createType', 'lead');
    assert.equal(await page.isVisible('#node-input-createOwner'), true);
    const offered = await page
      .locator('#telephony-lookup-users option')
      .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
    assert.deepEqual(offered, ['1', '99']);
    await page.fill('#node-input-createOwner', '1');
    await page.fill('#node-input-createName', '{{phone}}');
    await done();
    assert.equal((await saved(LOOKUP)).valid, false);
    await open(LOOKUP);
    await page.fill('#node-input-createName', 'Call {{national}}');
    await done();
    const { valid, createType, createOwner, createName } = await saved(LOOKUP);
    assert.deepEqual([valid, createType, createOwner, createName], [true, 'lead', '1', 'Call {{national}}']);
  });

  it('shows the way in of a local application with that choice only, and the page that the portal agrees on', async () => {
    await open(CRM);
    await page.waitForSelector('#telephony-crm-setting-mode');
    await page.selectOption('#node-config-input-kind', 'bitrix24');
    assert.deepEqual([await shown('#telephony-crm-page'), await shown('#node-config-input-token')], [false, true]);
    await page.selectOption('#telephony-crm-setting-signIn', 'application');
    assert.deepEqual([await shown('#telephony-crm-page'), await shown('#node-config-input-token')], [true, false]);
    await page.fill('#telephony-crm-setting-url', crm.origin);
    await page.fill('#node-config-input-user', 'local.app');
    await page.fill('#node-config-input-password', 's3cr3t');
    await page.click('#telephony-crm-page');
    await report(/paste its address/);
    const link = await page.getAttribute('#telephony-crm-report a', 'href');
    assert.equal(link, `${crm.origin}/oauth/authorize/?client_id=local.app`);
    await page.fill('#telephony-crm-pasted', 'nothing');
    await page.click('#telephony-crm-finish');
    await report(/paste the whole address/);
    await page.click('#node-config-dialog-cancel');
    await page.waitForSelector('.red-ui-tray', { state: 'detached' });
  });

  it('fills the table from the CRM: what was typed stays, who is gone is marked', async () => {
    await open(CRM);
    await page.waitForSelector('#telephony-crm-setting-mode');
    await page.click('#telephony-crm-load');
    await report(/7 users: 5 added, 1 no longer there/);
    const rows = await page.evaluate(() =>
      [...document.querySelectorAll('#telephony-crm-users .telephony-crm-row')].map((row) =>
        [...row.querySelectorAll('input')]
          .map((input) => input.value)
          .concat(row.querySelector('.telephony-crm-gone')?.getClientRects().length ? ['gone'] : []),
      ),
    );
    assert.deepEqual(rows.slice(0, 4), [
      ['901', '1', 'Анна Смирнова'],
      ['102', '2', 'Boris'],
      ['999', '99', 'Long gone', 'gone'],
      ['103', '3', 'Вера Орлова'],
    ]);
    assert.equal(rows.length, 8);
    await done();
    const { people, settings } = await saved(CRM);
    assert.deepEqual((people as Saved[])[1], { extension: '102', userId: '2', name: 'Boris' });
    assert.deepEqual(settings, { mode: 'normal', delayMs: '0' });
  });

  it('tests the CRM as it stands in the dialog', async () => {
    await open(CRM);
    await page.waitForSelector('#telephony-crm-setting-mode');
    await page.click('#telephony-crm-test');
    await report(/13 clients/);
    await page.selectOption('#telephony-crm-setting-mode', 'down');
    await page.click('#telephony-crm-test');
    await page.waitForSelector('#telephony-crm-report.telephony-crm-failed');
    await page.locator('#node-config-dialog-cancel').last().click();
    await page.waitForSelector('.red-ui-tray', { state: 'detached' });
    assert.deepEqual((await saved(CRM)).settings, { mode: 'normal', delayMs: '0' });
  });

  it('shows the fields of the chosen kind, and says which one is missing', async () => {
    await open(CRM);
    await page.waitForSelector('#telephony-crm-setting-mode');
    assert.equal(await shown('#node-config-input-token'), false);
    await page.selectOption('#node-config-input-kind', 'usercrm');
    await page.waitForSelector('#telephony-crm-setting-url');
    assert.deepEqual(
      [await shown('#node-config-input-token'), await shown('#node-config-input-password')],
      [true, false],
    );
    assert.equal(await page.locator('#telephony-crm-setting-mode').count(), 0);
    // The users of one CRM are not those of another; they come back with it.
    const rows = page.locator('#telephony-crm-users .telephony-crm-row');
    assert.equal(await rows.count(), 0);
    await report(/users of the other CRM/);
    await page.selectOption('#node-config-input-kind', 'demo');
    assert.equal(await rows.count(), 8);
    await page.selectOption('#node-config-input-kind', 'usercrm');
    assert.equal(await rows.count(), 0);
    await done();
    const { valid, kind } = await saved(CRM);
    assert.deepEqual([valid, kind], [false, 'usercrm']);
  });

  it('keeps a key where the browser never sees it again, and still tests with it', async () => {
    await open(CRM);
    await page.fill('#telephony-crm-setting-url', crm.origin);
    await page.fill('#node-config-input-token', 'very-secret');
    await done();
    assert.equal((await saved(CRM)).valid, true);
    await page.click('#red-ui-header-button-deploy');
    await page.waitForFunction(() => document.querySelector('#red-ui-header-button-deploy.disabled') !== null);
    await page.reload();
    await page.waitForSelector('.red-ui-flow-node');

    await open(CRM);
    await page.waitForSelector('#telephony-crm-setting-url');
    assert.equal(await page.inputValue('#node-config-input-token'), '__PWRD__');
    await page.click('#telephony-crm-test');
    await report(/users: 1/);
    assert.equal(crm.requests.at(-1)?.headers.authorization, 'Bearer very-secret');
    await done();
  });

  it('judges the rows of a table, says which is wrong, and keeps what was typed', async () => {
    await open(CRM);
    const rows = page.locator('.telephony-crm-table .telephony-crm-row');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 5);
    const cell = (row: number, name: string) => rows.nth(row).locator(`[data-cell="${name}"]`);
    assert.deepEqual(
      [
        await cell(0, 'reason').isDisabled(),
        await cell(2, 'reason').isDisabled(),
        await cell(0, 'status_name').inputValue(),
      ],
      [true, false, 'В работе'],
    );
    const widths = await rows.first().evaluate((row) => [row.scrollWidth, row.clientWidth]);
    assert.ok((widths[0] ?? 0) <= (widths[1] ?? 0), widths.join(' > '));
    await cell(3, 'base_status').fill('break');
    await done();
    assert.equal((await saved(CRM)).valid, false);
    await open(CRM);
    await cell(3, 'base_status').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.telephony-crm-table .telephony-crm-row').length === 5);
    await cell(3, 'base_status').fill('-3');
    await cell(3, 'reason').fill('Обед');
    await cell(3, 'extra_status').fill('77');
    await done();
    const { valid, settings } = await saved(CRM);
    const { agentStatuses } = settings as { readonly agentStatuses: readonly Saved[] };
    assert.deepEqual(
      [valid, agentStatuses.length, agentStatuses[3]],
      [true, 5, { state: 'paused', reason: 'Обед', base_status: '-3', extra_status: '77', status_name: 'Не ответил' }],
    );
  });

  it('gives the endpoint an output for each chosen action, and takes it away again', async () => {
    const test = '#telephony-in-action-test';
    await open(ENDPOINT);
    await page.waitForSelector('#telephony-in-protocol-itgrix');
    await page.check(test);
    await page.check('#telephony-in-protocol-json');
    await page.fill('#node-input-path', 'crm/');
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.telephony-in-url')].some((url) => url.textContent === 'GET /crm/forward'),
    );
    await done();
    const two = await saved(ENDPOINT);
    assert.deepEqual([two.outputs, two.actions, two.protocols], [2, ['route', 'test'], ['itgrix', 'json']]);
    assert.equal((two.wires as unknown[]).length, 2);

    await open(ENDPOINT);
    await page.uncheck(test);
    await done();
    const one = await saved(ENDPOINT);
    assert.deepEqual([one.outputs, one.actions, one.wires], [1, ['route'], [[flows[3]?.id]]]);
  });

  it('asks for the PBX when the dialplan is to be answered', async () => {
    await open(ENDPOINT);
    await page.check('#node-input-asyncAgi');
    await done();
    assert.equal((await saved(ENDPOINT)).valid, false);
    await open(ENDPOINT);
    await page.uncheck('#node-input-asyncAgi');
    await done();
    assert.equal((await saved(ENDPOINT)).valid, true);
  });
});
