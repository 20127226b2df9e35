import { closeSync, fstatSync, openSync, statSync } from 'node:fs';

/**
 * Files as they were when they were opened. Whoever deletes a file that is in use, or moves another one in its place, leaves the
 * database with one that has no name any more: it would go on to accept what nobody finds again.
 */
export class HeldFiles {
  private constructor(private readonly files: readonly { readonly path: string; readonly handle: number }[]) {}

  /** Throws what the filesystem throws. To be closed once. */
  static open(paths: readonly string[]): HeldFiles {
    const files: { path: string; handle: number }[] = [];
    try {
      for (const path of paths) files.push({ path, handle: openSync(path, 'r') });
    } catch (thrown) {
      new HeldFiles(files).close();
      throw thrown;
    }
    return new HeldFiles(files);
  }

  /** Whether each path still leads to the file that was opened. */
  areInPlace(): boolean {
    try {
      return this.files.every(({ path, handle }) => {
        const [held, named] = [fstatSync(handle), statSync(path)];
        return held.ino === named.ino && held.dev === named.dev;
      });
    } catch {
      return false;
    }
  }

  close(): void {
    for (const { handle } of this.files) closeSync(handle);
  }
}
