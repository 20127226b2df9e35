import type { AmiAction } from '../ami/types';
import type { Clock } from '../clock';
import type { Asterisk } from './asterisk';
import type { LiveChannel } from './channels';
import { notPossible } from './errors';

/** Asterisk keeps here the file of the recording that was begun last on a channel, by whomever. */
const FILE_VARIABLE = 'MIXMONITOR_FILENAME';
const ENDING = '.wav';

type Change = 'stop' | 'pause' | 'resume';

/** Recordings of calls by MixMonitor: the only kind that all versions have (Monitor is gone since Asterisk 21). */
export class Recordings {
  constructor(
    private readonly asterisk: Asterisk,
    private readonly clock: Clock,
  ) {}

  /** Begins to record; answers with the whole path. A recording of the client goes on when he is transferred. */
  async start(channel: LiveChannel, file: string | undefined): Promise<string> {
    const name = (file ?? this.nameOf(channel)).replace(/\.wav$/i, '') + ENDING;
    await this.asterisk.act({ action: 'MixMonitor', headers: { Channel: channel.name, File: name } });
    return (await this.asterisk.get(channel, FILE_VARIABLE)) || name;
  }

  /** Changes every recording of the call, whoever began it. Throws `CONTROL_NOT_POSSIBLE` when there never was one. */
  async change(channels: readonly LiveChannel[], how: Change): Promise<{ readonly file: string }> {
    const files = await Promise.all(
      channels.map(async (channel) => ({
        channel,
        file: await this.asterisk.get(channel, FILE_VARIABLE).catch(() => ''),
      })),
    );
    const recorded = files.filter(({ file }) => file !== '');
    const [first] = recorded;
    if (!first) throw notPossible('notRecorded');
    const results = await Promise.allSettled(recorded.map(({ channel }) => this.asterisk.act(actionFor(channel, how))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed && !results.some(({ status }) => status === 'fulfilled')) throw failed.reason;
    return { file: first.file };
  }

  /** `20261120-194043-1795203643.189`: by time, and one of a kind. */
  private nameOf({ linkedid }: LiveChannel): string {
    const [date = '', time = ''] = new Date(this.clock.now()).toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
    return `${date}-${time}-${linkedid.replace(/[^\w.-]/g, '-')}`;
  }
}

function actionFor({ name }: LiveChannel, how: Change): AmiAction {
  if (how === 'stop') return { action: 'StopMixMonitor', headers: { Channel: name } };
  const State = how === 'pause' ? 1 : 0;
  return { action: 'MixMonitorMute', headers: { Channel: name, Direction: 'both', State } };
}
