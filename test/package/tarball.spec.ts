import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { packedTarball, repository } from '../support/real-node-red';

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly engines: { node: string };
  readonly repository: { url: string };
  readonly 'node-red': { version: string; nodes: Record<string, string> };
}

const run = promisify(execFile);
const isScreenshot = /^docs\/images\/[\w-]+\.png$/;

/** What a page links to in the repository, without the anchors. */
async function linksOf(page: string): Promise<string[]> {
  const text = await readFile(join(repository, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, link = '']) => link);
  return links.map((link) => posix.join(posix.dirname(page), link));
}

describe('the tarball', () => {
  let files: string[];
  let manifest: Manifest;

  before(async () => {
    const { stdout } = await run('tar', ['-tzf', await packedTarball()]);
    files = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^package\//, ''));
    manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as Manifest;
  });

  it('holds every node with its page, help and words in both languages', () => {
    for (const [type, script] of Object.entries(manifest['node-red'].nodes)) {
      const expected = [
        script,
        script.replace(/\.js$/, '.html'),
        ...['en-US', 'ru'].flatMap((lang) =>
          ['json', 'html'].map((ext) => `dist/nodes/locales/${lang}/${type}.${ext}`),
        ),
      ];
      for (const file of expected) assert.ok(files.includes(file), `${file} is missing`);
    }
  });

  it('holds every example, the dialplan and the icons', async () => {
    for (const name of await readdir(join(repository, 'examples'))) {
      assert.ok(files.includes(`examples/${name}`), `examples/${name} is missing`);
    }
    assert.ok(files.includes('dialplan/extensions_telephony_crm.conf'), 'the dialplan is missing');
    for (const name of await readdir(join(repository, 'icons'))) {
      assert.ok(files.includes(`dist/nodes/icons/${name}`), `icon ${name} is missing`);
    }
  });

  it('holds nothing else: no sources, tests, settings of tools or secrets', () => {
    const allowed =
      /^(dist\/(lib|nodes)\/.+\.(js|html|json|svg|css)|resources\/[\w-]+\.js|examples\/[\w-]+\.json|dialplan\/[\w-]+\.conf|docs\/((crm|decisions|jobs)\/)?[\w.-]+\.md|docs\/images\/[\w-]+\.svg|package\.json|README(\.ru)?\.md|CHANGELOG\.md|LICENSE|NOTICE)$/;
    assert.deepEqual(
      files.filter((file) => !allowed.test(file)),
      [],
    );
  });

  it('holds what its pages link to', async () => {
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      const missing = (await linksOf(page)).filter((link) => !isScreenshot.test(link) && !files.includes(link));
      assert.deepEqual(missing, [], page);
    }
  });

  it('leaves out the screenshots: npm and GitHub show them from the repository', async () => {
    const kept = (await readdir(join(repository, 'docs', 'images'))).map((name) => `docs/images/${name}`);
    assert.match(manifest.repository.url, /^git\+https:\/\/github\.com\//);
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      const missing = (await linksOf(page)).filter((link) => isScreenshot.test(link) && !kept.includes(link));
      assert.deepEqual(missing, [], page);
    }
  });

  it('asks for at most six dependencies and sets no upper bound on Node', () => {
    assert.ok(Object.keys(manifest.dependencies).length <= 6);
    assert.match(manifest.engines.node, /^>=\d+$/);
    assert.match(manifest['node-red'].version, /^>=\d+\.\d+\.\d+$/);
  });
});
