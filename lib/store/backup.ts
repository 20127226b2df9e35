import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Clock, Timer } from '../clock';
import { asError, TelephonyError } from '../errors';
import type { Log } from '../log';
import { storeError } from './errors';

/** A copy a day. */
export interface BackupPlan {
  /** Local time of the day, `hh:mm`. */
  readonly at: string;
  /** So many of the newest copies are kept; only files that this plan wrote are deleted. */
  readonly keep: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Where copies go that are given no path of their own. */
export const backupFolder = (file: string): string => join(dirname(file), 'backups');

const two = (number: number): string => String(number).padStart(2, '0');

/** `telephony-crm-2026-01-31T03-00-00.sqlite`, in local time. */
export function backupName(file: string, now: number): string {
  const at = new Date(now);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${baseOf(file)}-${day}T${two(at.getHours())}-${two(at.getMinutes())}-${two(at.getSeconds())}.sqlite`;
}

const baseOf = (file: string): string => basename(file).replace(/\.[^.]*$/, '');

/** The path of a copy, which must lie below the folder of the store. Throws `STORE_BAD_PATH`. */
async function pathInside(file: string, wanted: string): Promise<string> {
  const folder = await realpath(dirname(file));
  const target = resolve(folder, wanted);
  const refuse = (): TelephonyError => storeError('STORE_BAD_PATH', { file: wanted.slice(0, 300), folder });
  const isInside = (path: string): boolean => {
    const way = relative(folder, path);
    return way !== '' && !way.startsWith('..') && !isAbsolute(way);
  };
  if (!isInside(target)) throw refuse();
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  // A link could lead out of it.
  const real = join(await realpath(dirname(target)), basename(target));
  if (!isInside(real)) throw refuse();
  return real;
}

/** Gives the finished copy its name, unless something has it already. */
async function nameIt(part: string, target: string): Promise<void> {
  try {
    await link(part, target);
    await rm(part);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw storeError('STORE_BACKUP_EXISTS', { file: target });
    // A filesystem without hard links.
    if (await exists(target)) throw storeError('STORE_BACKUP_EXISTS', { file: target });
    await rename(part, target);
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Copies the file while nothing is written into it: `hold` empties the write-ahead log and keeps it from being emptied again, so that the
 * file stands still while writes go on in the log. The copying itself is done outside of the event loop, which `VACUUM INTO`
 * would hold for its whole length.
 */
export async function copyStore(file: string, wanted: string, hold: () => Promise<() => boolean>): Promise<string> {
  let target = wanted;
  let part: string | undefined;
  try {
    target = await pathInside(file, wanted);
    if (await exists(target)) throw storeError('STORE_BACKUP_EXISTS', { file: target });
    part = `${target}.part`;
    await rm(part, { force: true });
    await copyHeld(file, part, hold);
    await nameIt(part, target);
    return target;
  } catch (thrown) {
    if (part !== undefined) await rm(part, { force: true }).catch(() => undefined);
    if (thrown instanceof TelephonyError) throw thrown;
    const reason = (thrown as NodeJS.ErrnoException).code ?? asError(thrown).message;
    throw storeError('STORE_BACKUP_FAILED', { file: target, reason }, thrown);
  }
}

/** The copy is on disk when this resolves. */
async function copyHeld(file: string, part: string, hold: () => Promise<() => boolean>): Promise<void> {
  const release = await hold();
  let stoodStill = false;
  try {
    await copyFile(file, part, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } finally {
    stoodStill = release();
  }
  if (!stoodStill) throw storeError('STORE_CLOSED', { file });
  const handle = await open(part, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Deletes the oldest copies of a plan. Names tell their age. */
async function rotate(file: string, keep: number): Promise<void> {
  const folder = backupFolder(file);
  const begin = `${baseOf(file)}-`;
  const ours = (await readdir(folder))
    .filter(
      (name) => name.startsWith(begin) && /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.sqlite$/.test(name.slice(begin.length)),
    )
    .sort();
  for (const name of ours.slice(0, Math.max(0, ours.length - keep))) await rm(join(folder, name), { force: true });
}

/**
 * Milliseconds until the next `hh:mm`, local time.
 *
 * @internal Exported for tests.
 */
export function untilNext(at: string, now: number): number {
  const [hours = 0, minutes = 0] = at.split(':').map(Number);
  const next = new Date(now);
  next.setHours(hours, minutes, 0, 0);
  if (next.getTime() <= now) next.setDate(next.getDate() + 1);
  // A day on which the clock is put back is longer.
  return Math.min(next.getTime() - now, DAY_MS + 60 * 60 * 1000);
}

/** Makes a copy every day, and keeps the last ones. What goes wrong is written into the log; the next day it is tried again. */
export class DailyBackup {
  private timer: Timer | undefined;

  constructor(
    private readonly file: string,
    private readonly plan: BackupPlan,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly backup: () => Promise<string>,
  ) {
    this.schedule();
  }

  /** No more copies; one that is being made is finished. */
  stop(): void {
    this.timer?.cancel();
  }

  private schedule(): void {
    this.timer = this.clock.after(untilNext(this.plan.at, this.clock.now()), () => {
      this.schedule();
      void this.make();
    });
  }

  private async make(): Promise<void> {
    try {
      const path = await this.backup();
      await rotate(this.file, this.plan.keep);
      this.log.info(`backup written: ${path}`);
    } catch (thrown) {
      this.log.warn(thrown instanceof TelephonyError ? thrown : asError(thrown).message);
    }
  }
}
