import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { AmiClient, AmiMessage } from '../ami/types';
import { systemClock } from '../clock';
import type { Clock } from '../clock';
import { recordingName } from './recording-name';
import { traceText } from './trace-text';

export interface TraceOptions {
  /** Must not exist yet; only its owner may read it. */
  readonly file: string;
  readonly seconds: number;
  /** The trace ends before the file would be longer. */
  readonly maxBytes: number;
  /** Replaces the last seven digits of every phone number, the same number always by the same digits; hides what was keyed in. */
  readonly maskNumbers: boolean;
}

export interface TraceResult {
  readonly events: number;
  readonly bytes: number;
}

/** Bytes that may wait for a slow disk; with more the trace ends. */
const MOST_WAITING = 8 * 1024 * 1024;

/**
 * Writes every event that the link hears, and the names of recordings, into a file, as Asterisk sends them but for secrets,
 * until the time is over, the file is full, the disk is too slow, or the link is closed. What we send is never in it. Rejects with
 * the error of the file system; the events that came until then stay in the file.
 */
export async function recordTrace(
  client: AmiClient,
  { file, seconds, maxBytes, maskNumbers }: TraceOptions,
  clock: Clock = systemClock,
): Promise<TraceResult> {
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  const text = traceText(maskNumbers);
  let events = 0;
  let bytes = 0;
  let isOver = false;
  const write = (more: string): void => {
    if (isOver) return;
    const size = Buffer.byteLength(more);
    if (bytes + size > maxBytes || out.writableLength > MOST_WAITING) {
      end();
      return;
    }
    bytes += size;
    out.write(more);
  };
  // A trace that begins in mid-call is of use only with the calls that were under way; so is one that goes on after a cut.
  const writeChannels = async (): Promise<void> => {
    const rows = await client.list({ action: 'CoreShowChannels' }).catch(() => undefined);
    const id = rows?.[0]?.get('ActionID');
    if (id === undefined) return;
    const end = `Event: CoreShowChannelsComplete\r\nActionID: ${id}\r\nEventList: Complete\r\n\r\n`;
    write([...(rows ?? []).map((row) => text.of(row, clock.now())), end].join(''));
  };
  // Who does not hear of variables asks for the name of a recording: the answer belongs to the calls as any event does.
  const writeRecordingName = async (started: AmiMessage): Promise<void> => {
    const named = await recordingName(client, started);
    if (named) write(text.of(named, clock.now()));
  };
  const forget = [
    client.subscribe('*', (event) => {
      write(text.of(event, clock.now()));
      if (!isOver) events++;
      if (event.name === 'MixMonitorStart') void writeRecordingName(event);
    }),
    client.onState(({ phase }) => {
      if (phase === 'closed') end();
      else write(`; the link is ${phase}\n`);
      if (phase === 'ready') void writeChannels();
    }),
  ];
  const timer = clock.after(seconds * 1000, () => end());
  const end = (): void => {
    isOver = true;
    timer.cancel();
    forget.forEach((one) => one());
    out.end();
  };
  write(
    `; ${new Date(clock.now()).toISOString()}, AMI ${client.state.amiVersion ?? '?'}${maskNumbers ? ', numbers masked' : ''}\n`,
  );
  if (client.state.phase === 'ready') void writeChannels();
  try {
    await finished(out);
  } finally {
    end();
  }
  return { events, bytes };
}
