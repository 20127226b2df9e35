import type { AmiState } from '../ami/types';
import { systemClock } from '../clock';
import type { Clock } from '../clock';
import { pbxError } from './errors';
import type { Pbx } from './pbx';

/**
 * Resolves when the link is ready. Rejects with the link's own error as soon as a try fails, or with `PBX_NOT_READY` after
 * `ms` milliseconds or when it was closed.
 */
export function whenReady(pbx: Pick<Pbx, 'name' | 'client'>, ms: number, clock: Clock = systemClock): Promise<void> {
  return new Promise((resolve, reject) => {
    const notReady = () => pbxError('PBX_NOT_READY', { name: pbx.name, ms });
    const judge = (state: AmiState): void => {
      const failed = state.phase === 'waiting' || state.phase === 'refused' || state.phase === 'closed';
      if (!failed && state.phase !== 'ready') return;
      timer.cancel();
      forget();
      if (failed) reject(state.error ?? notReady());
      else resolve();
    };
    const forget = pbx.client.onState(judge);
    const timer = clock.after(ms, () => {
      forget();
      reject(notReady());
    });
    judge(pbx.client.state);
  });
}
