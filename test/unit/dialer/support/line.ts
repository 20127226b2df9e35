import { silentLog } from '../../../../lib/log';
import { DEFAULT_DIALLING } from '../../../../lib/outbound/defaults';
import type { DialSettings } from '../../../../lib/outbound/types';
import { createAmiLine, type AmiLineOptions } from '../../../../lib/dialer/line/ami-line';
import type { AttemptPhase, AttemptResult, DialLine, Order } from '../../../../lib/dialer/types';
import { numberingPlan } from '../../../../lib/phone';
import { FakeClock } from '../../../support/fake-clock';
import { FakeClient } from './fake-client';
import { FakeScript } from './fake-script';
import { attemptOf } from './orders';

/** A line whose PBX is the test. */
export interface LineBed {
  readonly line: DialLine;
  readonly client: FakeClient;
  readonly clock: FakeClock;
  readonly script: FakeScript;
  /** Codes and texts of what an operator was told. */
  readonly warnings: string[];
  dial(order: Order, channelId?: string): Dialled;
}

export interface Dialled {
  readonly phases: AttemptPhase[];
  readonly result: Promise<AttemptResult>;
  /** Undefined while it goes on. */
  now: AttemptResult | undefined;
}

/** One way to all numbers, extensions by the context. */
export const DIAL_SETTINGS: DialSettings = {
  ...DEFAULT_DIALLING,
  context: 'click',
  channels: [{ prefix: '', channel: 'PJSIP/{number}@trunk' }],
  dialAs: 'digits',
};

export function lineBed(more: Partial<AmiLineOptions> = {}): LineBed {
  const client = new FakeClient();
  const clock = new FakeClock();
  const script = new FakeScript();
  const warnings: string[] = [];
  const line = createAmiLine({
    client,
    clock,
    script,
    log: { ...silentLog, warn: (what) => warnings.push(typeof what === 'string' ? what : what.code) },
    plan: numberingPlan({ country: 'RU' }),
    dialling: { settings: DIAL_SETTINGS },
    ...more,
  });
  const dial = (order: Order, channelId?: string): Dialled => {
    const phases: AttemptPhase[] = [];
    const dialled: Dialled = {
      phases,
      now: undefined,
      result: line.dial(attemptOf(order, channelId), (phase) => phases.push(phase)),
    };
    void dialled.result.then((result) => (dialled.now = result));
    return dialled;
  };
  return { line, client, clock, script, warnings, dial };
}

/** Lets everything happen that has no timer. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
