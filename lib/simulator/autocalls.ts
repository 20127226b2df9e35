import type { AsyncAgi } from './async-agi';
import type { Channel, Place } from './channel';
import type { Listeners } from './listeners';
import type { Pbx } from './pbx';

const CONTEXT = 'telephony-crm-autocall';
/** How long the dialplan waits for somebody who plays, and lets anything play. */
const SERVED_WITHIN_MS = 3000;
/** Hung up with when it is too late. */
const TOO_LATE = 103;
const KEY_MS = 5000;
const ROUNDS = 2;

export interface AutocallParts {
  readonly pbx: Pbx;
  readonly agi: AsyncAgi;
  readonly listeners: Listeners;
}

/** The context of autocalls, as the shipped dialplan has it: asks over AsyncAGI, and plays by itself when nobody serves it. */
export class Autocalls {
  constructor(private readonly parts: AutocallParts) {}

  has({ context, exten }: Place): boolean {
    return context === CONTEXT && exten === 's';
  }

  async run(channel: Channel): Promise<void> {
    const { pbx, agi, listeners } = this.parts;
    if (this.isExpired(channel)) {
      this.refuse(channel);
      return;
    }
    if (channel.get('TCRM_AMD') === '1') {
      pbx.execute(channel, 'AMD', '');
      await listeners.detect(channel);
    }
    pbx.execute(channel, 'AGI', `agi:async,${CONTEXT}`);
    await agi.serve(channel, [CONTEXT], SERVED_WITHIN_MS);
    if ((channel.get('TCRM_STEP') ?? '') === '') await this.alone(channel);
    else this.hangUp(channel, 16);
  }

  /** Is it too late for what the channel was ordered for? */
  isExpired(channel: Channel): boolean {
    const expires = Number(channel.get('TCRM_EXPIRES') ?? '');
    return expires > 0 && this.parts.pbx.clock.now() >= expires * 1000;
  }

  /** It is too late. */
  refuse(channel: Channel): void {
    this.hangUp(channel, TOO_LATE);
  }

  private async alone(channel: Channel): Promise<void> {
    const { pbx, listeners } = this.parts;
    const files = (channel.get('TCRM_FILES') ?? '').split('&').filter((file) => file !== '');
    const prompt = channel.get('TCRM_PROMPT') ?? '';
    if (channel.get('AMDSTATUS') !== 'MACHINE') {
      if (prompt !== '' && !(await this.isWanted(channel, prompt))) {
        this.hangUp(channel, 19);
        return;
      }
      pbx.execute(channel, 'Playback', files.join('&'));
      await listeners.play(channel, files);
    }
    this.hangUp(channel, 16);
  }

  private async isWanted(channel: Channel, prompt: string): Promise<boolean> {
    const { pbx, listeners } = this.parts;
    pbx.execute(channel, 'Read', `TCRM_KEY,${prompt},1,,${ROUNDS},${KEY_MS / 1000}`);
    for (let round = 0; round < ROUNDS; round += 1) {
      if ((await listeners.play(channel, [prompt], '1')) === '1') return true;
      if ((await listeners.key(channel, KEY_MS)) === '1') return true;
    }
    return false;
  }

  private hangUp(channel: Channel, cause: number): void {
    this.parts.pbx.execute(channel, 'Hangup', cause === 16 ? '' : String(cause));
    channel.hangupCause = cause;
  }
}
