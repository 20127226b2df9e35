import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import * as path from 'node:path';
import type { Clock } from '../clock';
import { asError } from '../errors';
import { recordingError } from './errors';
import type { RecordingFile } from './types';

/** What players and CRMs know; Asterisk writes `wav` unless it is told otherwise. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.wav': 'audio/wav',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.gsm': 'audio/x-gsm',
};

/** A file that was written to so lately may still grow: MixMonitor writes in steps, and converters write after it. */
const SETTLED_MS = 3000;
/** Half an hour of `wav` at 8 kHz and 16 bits is 29 MB; CRMs refuse much larger ones. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_NAME = 1000;

export interface FolderOptions {
  /** The recordings as this machine sees them. */
  readonly folder: string;
  /** The same folder as Asterisk names it (`/var/spool/asterisk/monitor`), cut off the names that it gives. */
  readonly asteriskFolder?: string;
  readonly clock: Clock;
}

/** The recordings below one folder. Names are untrusted: nothing outside the folder is ever opened, links included. */
export class RecordingFolder {
  constructor(private readonly options: FolderOptions) {}

  /**
   * The place of a recording below the folder, with `/`. A bare name with a date in it (FreePBX's `recordingfile`) is looked
   * for in the folder of that day too, by {@link locate}. Throws `RECORDING_OUTSIDE`.
   */
  relative(file: string): string {
    const { asteriskFolder, folder } = this.options;
    const named = file.slice(0, MAX_NAME);
    const below = [asteriskFolder, folder].find((base) => base !== undefined && isBelow(named, base));
    const rest = below === undefined ? named : named.slice(trimmed(below).length + 1);
    const place = path.posix.normalize(rest);
    const leaves = path.posix.isAbsolute(place) || place === '.' || place.split('/').includes('..');
    if (leaves || /[\u0000-\u001f\\]/.test(place) || file.length > MAX_NAME) throw outside(file);
    return place;
  }

  /** The real path of a recording. Rejects with `RECORDING_OUTSIDE`, `RECORDING_MISSING`, `RECORDING_UNREADABLE`. */
  async locate(file: string): Promise<string> {
    const place = this.relative(file);
    const root = await realpath(this.options.folder).catch((thrown: unknown) => {
      throw failure(file, thrown);
    });
    for (const candidate of [place, ...datedPlaces(place)]) {
      const found = await realpath(path.join(root, candidate)).catch((thrown: unknown) => {
        if (codeOf(thrown) !== 'ENOENT' && codeOf(thrown) !== 'ENOTDIR') throw failure(file, thrown);
        return undefined;
      });
      if (found === undefined) continue;
      if (!found.startsWith(root + path.sep)) throw outside(file);
      return found;
    }
    throw recordingError('RECORDING_MISSING', { file: shown(file) });
  }

  /** Reads a recording whole, once nobody writes to it any more; see {@link Recordings.read} for how it rejects. */
  async read(file: string): Promise<RecordingFile> {
    const found = await this.locate(file);
    try {
      // The path is real, so a last part that is a link was put there since.
      const handle = await open(found, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const { size, mtimeMs } = await handle.stat();
        if (size > MAX_BYTES) {
          throw recordingError('RECORDING_TOO_LARGE', { file: shown(file), bytes: size, limit: MAX_BYTES });
        }
        const age = this.options.clock.now() - mtimeMs;
        // A time in the future tells nothing: the file server's clock may be ahead.
        if (size === 0 || (age >= 0 && age < SETTLED_MS))
          throw recordingError('RECORDING_NOT_READY', { file: shown(file) });
        return { name: path.basename(found), contentType: contentTypeOf(found), bytes: await handle.readFile() };
      } finally {
        await handle.close();
      }
    } catch (thrown) {
      throw failure(file, thrown);
    }
  }
}

/** What to call a file of this name over HTTP. */
export function contentTypeOf(file: string): string {
  return CONTENT_TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
}

/** FreePBX keeps `out-101-…-20261121-101500-….wav` under `2026/11/21/`, and tells the bare name. */
function datedPlaces(place: string): string[] {
  const date = /(?:^|-)(20\d\d)(\d\d)(\d\d)-\d{6}-/.exec(place);
  return date && !place.includes('/') ? [[...date.slice(1, 4), place].join('/')] : [];
}

const trimmed = (folder: string): string => folder.replace(/[/\\]+$/, '');
const isBelow = (file: string, folder: string): boolean => file.startsWith(`${trimmed(folder)}/`);

const shown = (file: string): string => file.replace(/[\p{Cc}]+/gu, ' ').slice(0, 200);
const codeOf = (thrown: unknown): string | undefined => (thrown as { readonly code?: string }).code;
const outside = (file: string): Error => recordingError('RECORDING_OUTSIDE', { file: shown(file) });

function failure(file: string, thrown: unknown): Error {
  const code = codeOf(thrown);
  if (code?.startsWith('RECORDING_')) return asError(thrown);
  if (code === 'ENOENT') return recordingError('RECORDING_MISSING', { file: shown(file) }, thrown);
  if (code === 'ELOOP') return outside(file);
  return recordingError('RECORDING_UNREADABLE', { file: shown(file), reason: code ?? 'unknown' }, thrown);
}
