import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { repository } from './real-node-red';

/** What the pictures of the README show, in CSS pixels. */
export const PICTURE = { width: 1000, height: 620 } as const;

const folder = join(repository, 'docs', 'images');

/** Whether pictures are to be taken: a plain run leaves the tree as it was. */
export const asked = process.env.SCREENSHOTS === '1';

/** Takes a picture for the README, where it is asked for (`SCREENSHOTS=1`). `bottom`: nothing is shown much below this element. */
export async function picture(of: Page | Locator, name: string, { bottom }: { bottom?: string } = {}): Promise<void> {
  if (!asked) return;
  await mkdir(folder, { recursive: true });
  const look = { path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' } as const;
  const box = bottom === undefined ? null : await of.locator(bottom).boundingBox();
  if (box === null || !('viewportSize' in of)) await of.screenshot(look);
  else await of.screenshot({ ...look, clip: { ...PICTURE, x: 0, y: 0, height: box.y + box.height + 40 } });
}
