import type { Clock } from '../clock';
import { RecordingFolder } from './folder';
import { SignedLinks } from './links';
import type { RecordingFile, Recordings } from './types';

export interface RecordingsOptions {
  readonly folder: string;
  readonly asteriskFolder?: string;
  /** How links are made; absent = there are none. */
  readonly links?: { readonly base: string; readonly key: Uint8Array; readonly validMs: number };
  readonly clock: Clock;
}

/** The recordings of one PBX: files, and the links that lead to them. */
export class RecordingStore implements Recordings {
  private readonly folder: RecordingFolder;
  private readonly links: SignedLinks | undefined;

  constructor({ links, ...options }: RecordingsOptions) {
    this.folder = new RecordingFolder(options);
    this.links = links && new SignedLinks({ ...links, clock: options.clock });
  }

  link(file: string): string | undefined {
    try {
      return this.links?.make(this.folder.relative(file));
    } catch {
      // A name that leads outside gets no link; whoever reads it learns why.
      return undefined;
    }
  }

  read(file: string): Promise<RecordingFile> {
    return this.folder.read(file);
  }

  /**
   * The file that a link leads to. Resolves with `undefined` for a link that is forged, expired, or leads to nothing:
   * a stranger must not learn which.
   */
  async openLink(pathBelowBase: string): Promise<string | undefined> {
    const place = this.links?.open(pathBelowBase);
    return place === undefined ? undefined : this.folder.locate(place).catch(() => undefined);
  }
}
