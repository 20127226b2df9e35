import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { repository } from './real-node-red';

/** What the pictures of the README show, in CSS pixels. */
export const PICTURE = { width: 1000, height: 620 } as const;

const folder = join(repository, 'docs', 'images');

/** Whether pictures are to be taken: a plain run leaves the tree as it was. */
export const asked = process.env.SCREENSHOTS === '1';

/** Takes a picture for the README, where it is asked for (`SCREENSHOTS=1`). */
export async function picture(of: Page | Locator, name: string): Promise<void> {
  if (!asked) return;
  await mkdir(folder, { recursive: true });
  await of.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
}
