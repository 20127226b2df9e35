/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { chromiumPath, startBrowser } from '../support/browser';
import { closeDialog, openDialog, openEditor } from '../support/editor';
import { canRun } from '../support/require-or-skip';
import { nodeRedFolder, removeFolder, repository, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';

const types = [
  'ami-config',
  'crm-config',
  'store-config',
  'ami-event',
  'crm-lookup',
  'crm-webhook-out',
  'call-history',
  'originate',
  'call-control',
  'usercrm-in',
  'usercrm-out',
  'screen-pop',
  'simulated-call',
  'uccx-records',
];
/** A value that cannot be used: of which field of which node, and beside which other settings. */
const wrongs: readonly (readonly [type: string, field: string, value: unknown, beside?: object])[] = [
  ['ami-config', 'host', 'a b', { mode: 'asterisk' }],
  ['ami-config', 'port', '70000', { mode: 'asterisk' }],
  ['ami-config', 'driver', 'asterisk-manager', { mode: 'asterisk', useTls: true }],
  ['ami-config', 'country', 'Russia'],
  ['ami-config', 'trunks', 'my trunk, a/b/c'],
  ['ami-config', 'recordings', 'monitor'],
  ['ami-config', 'recordingsDays', '0'],
  ['ami-config', 'agentChannel', 'PJSIP/101'],
  ['ami-config', 'dialContext', 'from internal'],
  ['ami-config', 'dialChannels', '8495 PJSIP/moscow'],
  ['ami-config', 'dialAllow', '8495*'],
  ['ami-config', 'dialDeny', '+7*5'],
  ['ami-config', 'perMinute', '0'],
  ['ami-config', 'perCaller', '10001'],
  ['ami-config', 'addresses', 'pc-15 = 101'],
  ['ami-event', 'events', 'no:name', { mode: 'raw' }],
  ['ami-event', 'topics', [], { mode: 'calls' }],
  ['call-history', 'limit', '1001'],
  ['call-history', 'query', ''],
  ['call-control', 'extension', '10a'],
  ['call-control', 'to', '*65'],
  ['call-control', 'file', '../x'],
  ['crm-config', 'people', [{ userId: '1' }, { userId: '1' }]],
  ['crm-lookup', 'deadline', '61'],
  ['crm-lookup', 'substitutes', [{ from: '101', to: '102&103' }]],
  ['crm-webhook-out', 'giveUpDays', '0'],
  ['originate', 'tries', '4'],
  ['originate', 'expires', '0'],
  ['originate', 'files', 'car.wav', { mode: 'autocall' }],
  ['originate', 'windows', [{ days: [], from: '09:00', to: '21:00' }], { mode: 'autocall' }],
  ['originate', 'timeZone', 'Moscow', { mode: 'autocall' }],
  ['originate', 'channel', 'PJSIP/101&PJSIP/102', { mode: 'plain' }],
  ['originate', 'lines', '257'],
  ['uccx-records', 'timeZone', 'Moscow time', { clock: 'zone' }],
  ['uccx-records', 'directions', []],
  ['uccx-records', 'prefix', '9 or 0'],
  ['uccx-records', 'country', 'Russia'],
  ['originate', 'trunkLines', [{ trunk: 'PJSIP/a', lines: '0' }]],
  ['originate', 'variables', [{ name: 'SHELL(id)', value: '1' }]],
  ['screen-pop', 'path', 'a//b'],
  ['screen-pop', 'url', 'javascript:alert(1)'],
  ['screen-pop', 'unknownUrl', 'https://%callerid%/'],
  ['screen-pop', 'queueList', 'a'.repeat(81)],
  ['screen-pop', 'reasons', 'a\n'.repeat(51)],
  ['screen-pop', 'trustedProxies', 'proxy.example.com'],
  ['screen-pop', 'origins', 'crm.example.com'],
  ['store-config', 'file', '../calls.sqlite'],
  ['store-config', 'backupAt', '25:00'],
  ['usercrm-in', 'path', 'a//b'],
  ['usercrm-in', 'allowList', 'example.com'],
  ['usercrm-in', 'agiTag', 'a b', { asyncAgi: true }],
  ['usercrm-in', 'trustedProxies', 'proxy.example.com'],
  ['usercrm-in', 'deadlines', { make_call: 'soon' }],
  ['usercrm-out', 'property', 'a..b'],
];
const screens = join(repository, '.cache', 'screens');

interface Look {
  readonly scheme: 'light' | 'dark';
  readonly locale: 'en-US' | 'ru-RU';
}

const looks: readonly Look[] = [
  { scheme: 'light', locale: 'en-US' },
  { scheme: 'dark', locale: 'ru-RU' },
];

/** Runs in the page: the text in the open dialog that stands out too little from what lies behind it. */
function faintTexts(): string[] {
  const rgb = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]: number[]): number => {
    const [lr = 0, lg = 0, lb = 0] = [r, g, b].map((part) => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * lr + 0.7152 * lg + 0.0722 * lb;
  };
  const behind = (element: Element | null): number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const found: string[] = [];
  for (const element of document.querySelectorAll(
    '.red-ui-tray-body label, .red-ui-tray-body .form-tips, .red-ui-tray-body p',
  )) {
    const own = [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? '').trim() !== '',
    );
    const box = element.getBoundingClientRect();
    if (!own || box.width === 0 || box.height === 0) continue;
    const front = luminance(rgb(getComputedStyle(element).color));
    const back = luminance(behind(element));
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 3) found.push(`${element.textContent.trim().slice(0, 60)}: ${contrast.toFixed(1)}`);
  }
  return found;
}

/** Beside the nodes of the examples. */
function agentPage(flows: readonly Record<string, unknown>[]): Record<string, unknown> {
  const idOf = (type: string): unknown => flows.find((node) => node.type === type)?.id;
  return {
    id: 'screen-pop-1',
    type: 'screen-pop',
    z: idOf('tab'),
    name: 'page',
    path: '/agent',
    pbx: idOf('ami-config'),
    agents: [],
    crm: '',
    store: '',
    url: 'show_vars/?aon=%callerid%',
    unknownUrl: '',
    popAt: 'answer',
    openIn: 'frame',
    queues: true,
    queueList: 'support, sales',
    reasons: 'Lunch\nBreak',
    freeReason: false,
    origins: 'https://crm.example.com',
    trustedProxies: '127.0.0.1',
    x: 300,
    y: 900,
    wires: [[]],
  };
}

describe('the dialogs in Chromium', () => {
  let nodeRed: RealNodeRed;
  let browser: Browser;
  let flows: Record<string, unknown>[];

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    await mkdir(screens, { recursive: true });
    // Together they use every node.
    const examples = [
      '01-routing-to-responsible.json',
      '02-cdr-export.json',
      '06-autocall-notification.json',
      '04-usercrm-server.json',
      '10-cisco-uccx-bitrix24.json',
    ];
    const texts = await Promise.all(examples.map((name) => readFile(join(repository, 'examples', name), 'utf8')));
    flows = texts.flatMap((text) => JSON.parse(text) as Record<string, unknown>[]);
    flows.push(agentPage(flows));
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows });
    browser = await startBrowser();
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  for (const look of looks) {
    describe(`${look.scheme}, ${look.locale}`, () => {
      let context: BrowserContext;
      let page: Page;
      const complaints: string[] = [];

      before(async () => {
        context = await browser.newContext({
          colorScheme: look.scheme,
          locale: look.locale,
          viewport: { width: 1400, height: 1000 },
        });
        // tsx wraps named functions into calls of this helper, which the page does not have.
        await context.addInitScript('globalThis.__name = (f) => f');
        // Node-RED 5 stays light until its user wants otherwise.
        await context.addInitScript(`localStorage.setItem('view-dark-theme', '"auto"')`);
        page = await context.newPage();
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('console', (message) => {
          // The editor itself asks for things on the internet, which a test machine may not reach.
          if (message.type() === 'error' && !message.text().includes('net::ERR_')) complaints.push(message.text());
        });
        await page.goto(nodeRed.url);
        await page.waitForFunction(
          () =>
            (globalThis as unknown as { RED?: { nodes?: { getType(t: string): unknown } } }).RED?.nodes?.getType(
              'crm-lookup',
            ),
          undefined,
          { timeout: 60_000 },
        );
        await page.waitForSelector('.red-ui-flow-node');
      });

      afterEach(async () => {
        // A test that failed with a dialog open must not fail those after it.
        while ((await page.locator('.red-ui-tray').count()) > 0) {
          await page.keyboard.press('Control+Escape');
          await page.waitForTimeout(500);
        }
      });

      after(() => context.close());

      it('shows every node in the palette under "telephony CRM"', async () => {
        for (const type of types.filter((name) => !name.endsWith('-config'))) {
          await page.waitForSelector(`.red-ui-palette-node[data-palette-type="${type}"]`, { state: 'attached' });
        }
        await page.screenshot({ path: join(screens, `canvas-${look.scheme}-${look.locale}.png`) });
      });

      for (const type of types) {
        it(`${type}: opens, reads well, closes with Done`, async () => {
          await page.evaluate((wanted) => {
            const { RED } = globalThis as unknown as {
              RED: {
                nodes: {
                  eachNode(f: (n: { type: string }) => void): void;
                  eachConfig(f: (n: { type: string; id: string }) => void): void;
                };
                editor: { edit(n: unknown): void; editConfig(name: string, type: string, id: string): void };
              };
            };
            let opened = false;
            RED.nodes.eachConfig((node) => {
              if (node.type === wanted && !opened) {
                opened = true;
                RED.editor.editConfig('', wanted, node.id);
              }
            });
            RED.nodes.eachNode((node) => {
              if (node.type === wanted && !opened) {
                opened = true;
                RED.editor.edit(node);
              }
            });
          }, type);
          await page.waitForSelector('.red-ui-tray-body form, .red-ui-tray-body .red-ui-editor', { state: 'visible' });
          await page.waitForFunction(() => {
            const tray = document.querySelector('.red-ui-tray');
            return tray !== null && Number.parseInt(getComputedStyle(tray).right, 10) === 0;
          });
          const text = await page.locator('.red-ui-tray').innerText();
          await page.screenshot({ path: join(screens, `${type}-${look.scheme}-${look.locale}.png`) });

          assert.doesNotMatch(text, new RegExp(`\\b${type}\\.[a-z]+[.\\w-]*`), 'a catalogue key instead of words');
          if (look.locale === 'ru-RU') assert.match(text, /[а-яё]{4,}/i);
          assert.deepEqual(await page.evaluate(faintTexts), [], 'texts that can hardly be read');
          const unlabelled = await page.evaluate(() =>
            [...document.querySelectorAll('.red-ui-tray-body button, .red-ui-tray-body a.red-ui-button')]
              .filter(
                (b) =>
                  b.getClientRects().length > 0 &&
                  b.textContent.trim() === '' &&
                  !b.getAttribute('aria-label') &&
                  !b.getAttribute('title'),
              )
              .map((b) => b.outerHTML.slice(0, 120))
              // Node-RED's own buttons beside its own widgets are not ours to name.
              .filter((html) => !/red-ui-typedInput|red-ui-editableList|editor-button-small|-input-btn-/.test(html)),
          );
          assert.deepEqual(unlabelled, [], 'buttons without a name');

          await page.locator('#node-dialog-ok, #node-config-dialog-ok').last().click();
          await page.waitForSelector('.red-ui-tray', { state: 'detached' });
          assert.deepEqual(complaints, []);
        });
      }

      it('says which field is wrong, and why; a variable is always right', async () => {
        const verdicts = await page.evaluate((rows) => {
          type Validator = (value: unknown, opt: { readonly label?: string }) => unknown;
          type Defaults = Readonly<
            Record<string, { readonly label?: string; readonly validate: Validator } | undefined>
          >;
          const { RED } = globalThis as unknown as {
            RED: { nodes: { getType(type: string): { readonly defaults: Defaults } | undefined } };
          };
          return rows.map(([type, field, value, beside]) => {
            const spec = RED.nodes.getType(type)?.defaults[field];
            const label = spec?.label ?? '';
            const judge = (given: unknown): unknown => spec?.validate.call({ id: 'none', ...beside }, given, { label });
            return { label, said: judge(value), ofVariable: judge('${NAME}'), ofNothing: typeof judge(undefined) };
          });
        }, wrongs);
        for (const [index, { label, said, ofVariable, ofNothing }] of verdicts.entries()) {
          const [type = '', field = ''] = wrongs[index] ?? [];
          assert.ok(label !== '' && String(said).startsWith(`${label}: `), `${type}.${field}: ${String(said)}`);
          assert.ok(String(said).length > label.length + 5, `${type}.${field}: ${String(said)}`);
          assert.equal(ofVariable, true, `${type}.${field}`);
          assert.match(ofNothing, /string|boolean/, `${type}.${field}`);
        }
      });

      it('changes nothing in a flow by opening and closing its dialogs', async () => {
        const now = await page.evaluate(() =>
          (
            globalThis as unknown as { RED: { nodes: { createCompleteNodeSet(): Record<string, unknown>[] } } }
          ).RED.nodes.createCompleteNodeSet(),
        );
        for (const before of flows) {
          if (!types.includes(String(before.type))) continue;
          const after = now.find((node) => node.id === before.id);
          for (const [property, value] of Object.entries(before)) {
            assert.deepEqual(after?.[property], value, `${String(before.type)}: ${property}`);
          }
        }
      });

      it('has help for every node, with its headings', async () => {
        for (const type of types) {
          const help = await page.evaluate(
            (wanted) =>
              (globalThis as unknown as { RED: { nodes: { getNodeHelp(t: string): string } } }).RED.nodes.getNodeHelp(
                wanted,
              ),
            type,
          );
          assert.ok(help.length > 300, `${type} has no help worth the name`);
          if (look.locale === 'ru-RU') assert.match(help, /[а-яё]{4,}/i, `${type} has no Russian help`);
        }
      });

      it('has help that fits into the sidebar', async () => {
        for (const type of types) {
          const { count, over } = await page.evaluate((wanted) => {
            interface Help {
              show(type: string, bringToFront: boolean): void;
            }
            const { RED } = globalThis as unknown as { RED: { sidebar: { help: Help } } };
            RED.sidebar.help.show(wanted, true);
            const help = document.querySelector('.red-ui-help .red-ui-help');
            const parts = [...(help?.querySelectorAll<HTMLElement>('p, code, pre, dt, dd') ?? [])];
            const wide = parts.filter((part) => {
              // A line of an example that the editor has to break is hard to read.
              if (part.tagName === 'PRE') part.style.whiteSpace = 'pre';
              const text = document.createRange();
              text.selectNodeContents(part);
              const frame = part.tagName === 'PRE' ? part : help;
              const edge = frame?.getBoundingClientRect().right ?? 0;
              // The browser rounds: a part of a pixel is nothing.
              return text.getBoundingClientRect().right > edge + 1;
            });
            return { count: parts.length, over: wide.map((part) => part.textContent) };
          }, type);
          assert.ok(count > 5, `${type}: its help is not shown`);
          assert.deepEqual(over, [], `${type}: runs off the sidebar`);
        }
      });

      it('really is in the chosen theme', async () => {
        const { version } = JSON.parse(await readFile(join(nodeRedFolder, 'package.json'), 'utf8')) as {
          version: string;
        };
        const dark = await page.evaluate(() => document.documentElement.classList.contains('nr-theme-dark'));
        // Node-RED 4.1 knows no dark theme of its own.
        assert.equal(dark, look.scheme === 'dark' && !version.startsWith('4.'));
      });
    });
  }

  describe('of nodes that were made elsewhere', () => {
    const made = [...types, 'finesse-config', 'queue-event'];
    const away = { id: 'away', type: 'ami-config', mode: 'asterisk', host: '127.0.0.1', port: '9' };
    let page: Page;

    before(async () => {
      const bare = made.map((type) =>
        type.endsWith('-config') ? { id: type, type } : { id: type, type, z: 't', x: 200, y: 100, wires: [] },
      );
      await nodeRed.deploy([{ id: 't', type: 'tab', label: 't' }, away, ...bare]);
      page = await openEditor(browser, nodeRed.url, { width: 1280, height: 600 });
    });
    after(() => page.context().close());

    it('show the default of a choice that the node does not have', async () => {
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      let choices = 0;
      for (const type of made) {
        await openDialog(page, type);
        const selects = page.locator('.red-ui-tray-body select[id]');
        const chosen = await selects.evaluateAll((all) =>
          all.map((select) => ({ id: select.id, index: (select as HTMLSelectElement).selectedIndex })),
        );
        choices += chosen.length;
        for (const { id, index } of chosen) assert.notEqual(index, -1, `${type}: ${id} shows nothing`);
        await closeDialog(page);
      }
      assert.ok(choices > 15, `${choices} choices`);
      assert.deepEqual(faults, []);
    });

    for (const [id, report] of [
      ['away', 'ami'],
      ['crm-config', 'crm'],
    ] as const) {
      it(`bring the result of the test into sight (${report})`, async () => {
        await openDialog(page, id);
        const button = page.locator(`#telephony-${report}-test`);
        // Where it is after somebody has scrolled down to it: what it writes is below the window.
        await button.evaluate((element) => element.scrollIntoView({ block: 'end' }));
        await button.click();
        const told = page.locator(`#telephony-${report}-report`);
        await told.getByText(report === 'ami' ? '✗' : 'The CRM answers').waitFor();
        const { top, bottom, floor } = await told.evaluate((area) => {
          const box = area.getBoundingClientRect();
          const footer = document.querySelector('.red-ui-tray-footer')?.getBoundingClientRect();
          return { top: box.top, bottom: box.bottom, floor: footer?.top ?? innerHeight };
        });
        assert.ok(top > 0 && bottom <= floor + 1, `from ${top} to ${bottom}, and the dialog ends at ${floor}`);
        await closeDialog(page);
      });
    }
  });
});
