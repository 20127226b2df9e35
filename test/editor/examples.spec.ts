/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { exampleNames, exampleNamesForCrms, readExample } from '../nodes/support/example-flows';
import { chromiumPath, startBrowser } from '../support/browser';
import { removeFolder, startNodeRed, userDirWithPack } from '../support/real-node-red';
import type { RealNodeRed } from '../support/real-node-red';
import { canRun } from '../support/require-or-skip';

interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly valid?: boolean;
  readonly validationErrors?: readonly string[];
}

// Beside each other, as somebody has them who tries all.
const examples = exampleNames.flatMap(readExample);

describe('the examples in the editor', () => {
  let nodeRed: RealNodeRed;
  let browser: Browser;
  let page: Page;

  before(async function () {
    canRun(this, chromiumPath !== undefined, 'there is no Chromium');
    // What Node-RED 4 does by itself, 5 only when it is told to.
    const settings = `httpAdminCors: { origin: '*' },`;
    nodeRed = await startNodeRed({ userDir: await userDirWithPack(), flows: examples, settings });
    browser = await startBrowser();
    const context = await browser.newContext({ locale: 'en-US' });
    // tsx wraps named functions into calls of this helper, which the page does not have.
    await context.addInitScript('globalThis.__name = (f) => f');
    page = await context.newPage();
    await page.goto(nodeRed.url);
    await page.waitForSelector('.red-ui-flow-node');
  });

  after(async () => {
    await (browser as Browser | undefined)?.close();
    const started = nodeRed as RealNodeRed | undefined;
    if (started === undefined) return;
    await started.stop();
    await removeFolder(started.userDir);
  });

  /** What the editor marks as wrong, as it stands after the import. */
  const invalid = (): Promise<{ readonly id: string; readonly what: string }[]> =>
    page.evaluate(() => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { eachNode(f: (n: EditorNode) => void): void; eachConfig(f: (n: EditorNode) => void): void } };
      };
      const found: { id: string; what: string }[] = [];
      const look = ({ id, type, name = '', valid, validationErrors = [] }: EditorNode): void => {
        if (valid === false) found.push({ id, what: `${type} "${name}": ${validationErrors.join('; ')}` });
      };
      RED.nodes.eachNode(look);
      RED.nodes.eachConfig(look);
      return found;
    });

  it('lack nothing after the import but what only the owner of a CRM knows', async () => {
    const open = new Set<string>();
    for (const flow of exampleNamesForCrms.map(readExample)) {
      const crms = flow.filter(({ type }) => type === 'crm-config').map(({ id }) => id);
      for (const node of flow) if (crms.some((id) => [node.id, node.crm].includes(id))) open.add(node.id);
    }
    const wrong = (await invalid()).filter(({ id }) => !open.has(id));
    assert.deepEqual(
      wrong.map(({ what }) => what),
      [],
    );
  });

  it('have every field that their nodes have in the dialog', async () => {
    const types = [...new Set(examples.map(({ type }) => type))];
    const fields = await page.evaluate((names) => {
      const { RED } = globalThis as unknown as {
        RED: { nodes: { getType(type: string): { set?: { module: string }; defaults: object } | undefined } };
      };
      return names.flatMap((name) => {
        const type = RED.nodes.getType(name);
        return type?.set?.module.startsWith('@telephony-crm/') ? [[name, Object.keys(type.defaults)] as const] : [];
      });
    }, types);
    assert.ok(fields.length > 10, `${fields.length} types`);
    const of = new Map(fields);
    const lacking = examples.flatMap((node) => {
      const missing = (of.get(node.type) ?? []).filter((field) => !(field in node));
      return missing.length === 0 ? [] : [`${node.type} ${node.id}: ${missing.join(', ')}`];
    });
    assert.deepEqual(lacking, []);
  });

  it('say to every request that no other web page may read the answer', async () => {
    const routes = examples.filter(({ type }) => type === 'http in');
    assert.ok(routes.length > 8, `${routes.length} routes`);
    const settings = await fetch(`${nodeRed.url}/settings`);
    assert.equal(settings.headers.get('access-control-allow-origin'), '*', 'what Node-RED itself says');
    for (const { url, method } of routes) {
      const path = String(url).replace(':id', '1');
      const headers = { origin: 'http://elsewhere.example' };
      const answer = await fetch(nodeRed.url + path, { method: String(method).toUpperCase(), headers });
      assert.equal(answer.headers.get('access-control-allow-origin'), 'none', `${path}: ${answer.status}`);
    }
  });

  it('keep the data of the wallboard from a page of elsewhere, in a browser', async () => {
    const elsewhere = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html>');
    });
    await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening));
    const context = await browser.newContext();
    await context.addInitScript('globalThis.__name = (f) => f');
    const foreign = await context.newPage();
    try {
      await foreign.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
      const read = (path: string): Promise<string> =>
        foreign.evaluate(
          (url) =>
            fetch(url).then(
              () => 'read',
              () => 'refused',
            ),
          nodeRed.url + path,
        );
      assert.equal(await read('/settings'), 'read', 'a page of elsewhere reads what it may');
      for (const path of ['/wallboard', '/wallboard/data', '/cisco/missed', '/demo-crm/client?phone=84951343060'])
        assert.equal(await read(path), 'refused', path);
      // Node-RED would answer an object to a script as a call of the function that it names.
      const heard = await foreign.evaluate(async (src) => {
        const got: unknown[] = [];
        Object.assign(globalThis, { heard: (data: unknown) => got.push(data) });
        const script = document.createElement('script');
        await new Promise((done) => {
          script.onload = script.onerror = done;
          script.src = src;
          document.head.append(script);
        });
        return got.length;
      }, `${nodeRed.url}/wallboard/data?callback=heard`);
      assert.equal(heard, 0);
      assert.ok((await fetch(`${nodeRed.url}/wallboard/data`)).ok, 'there are data');
    } finally {
      await context.close();
      elsewhere.close();
    }
  });
});
