import type { Channel } from './channel';
import { listenerRule } from './defaults';
import type { Pbx } from './pbx';

/** How the client of an autocall, or whoever else the PBX called, takes what is played. Each sound lasts for the talk time. */
export class Listeners {
  constructor(
    private readonly pbx: Pbx,
    private readonly talkMs: number,
  ) {}

  /**
   * Plays sounds one after the other; answers with the key of `keys` that was pressed meanwhile, or nothing.
   * Throws Interrupted when the client hangs up, in the middle of the last one.
   */
  async play(channel: Channel, sounds: readonly string[], keys = ''): Promise<string> {
    const last = (channel.get('TCRM_FILES') ?? sounds.join('&')).split('&').at(-1);
    const rule = listenerRule(channel.farEnd);
    for (const sound of sounds) {
      if (rule === 'hangs-up' && sound === last) {
        await this.pbx.pause(this.talkMs / 2, channel);
        this.pbx.farEndHangsUp(channel, 0, false);
      } else if (keys.includes('1') && isPressing(rule)) {
        await this.pbx.pause(this.talkMs / 2, channel);
        return '1';
      }
      await this.pbx.pause(this.talkMs, channel);
    }
    return '';
  }

  /** Waits so long for a key. */
  async key(channel: Channel, withinMs: number): Promise<string> {
    const isPressed = isPressing(listenerRule(channel.farEnd));
    await this.pbx.pause(isPressed ? Math.min(withinMs, this.talkMs / 2) : withinMs, channel);
    return isPressed ? '1' : '';
  }

  /** The application AMD. */
  async detect(channel: Channel): Promise<void> {
    await this.pbx.pause(this.talkMs, channel);
    const isMachine = listenerRule(channel.farEnd) === 'machine';
    this.pbx.setVariable(channel, 'AMDSTATUS', isMachine ? 'MACHINE' : 'HUMAN');
    this.pbx.setVariable(channel, 'AMDCAUSE', isMachine ? 'LONGGREETING-1500-1500' : 'HUMAN-800-800');
  }
}

/** Who hangs up in the middle of a message asked for it first. */
function isPressing(rule: ReturnType<typeof listenerRule>): boolean {
  return rule === 'presses-1' || rule === 'hangs-up';
}
