import { createCallControl } from '../../../lib/control/control';
import type { CallControl } from '../../../lib/control/types';
import { DEFAULT_DIALLING } from '../../../lib/outbound/defaults';
import type { DialSettings } from '../../../lib/outbound/types';
import type { Pbx } from '../../../lib/pbx/pbx';
import { numberingPlan } from '../../../lib/phone';
import { knows } from '../../../lib/presence/knows';

/** Orders on the live calls of the PBX of the tests. */
export function callControlOf({ client, dialling, presence }: Pbx, hold: DialSettings['hold']): CallControl {
  const settings = { ...DEFAULT_DIALLING, context: 'from-internal', hold };
  return createCallControl({
    client,
    plan: numberingPlan({ country: 'RU' }),
    dialling: { settings, guard: dialling.guard },
    trunks: ['provider'],
    knows: (extension) => knows(presence, extension),
  });
}
