/** A complete recording. */
export interface RecordingFile {
  /** File name alone, with an extension that players know. */
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** How the recordings of one PBX are reached; `file` is as Asterisk named it, and untrusted. */
export interface Recordings {
  /** A signed link that expires, when the admin set an address for it. */
  link(file: string): string | undefined;
  /**
   * Reads it whole. Rejects with `RECORDING_NOT_READY` while it may still grow, `RECORDING_MISSING`, `RECORDING_TOO_LARGE`,
   * `RECORDING_OUTSIDE` (not below the recordings folder).
   */
  read(file: string): Promise<RecordingFile>;
}
