import assert from 'node:assert/strict';
import { createCallControl } from '../../../../lib/control/control';
import { parseOrder } from '../../../../lib/control/order';
import type { CallControl, ControlDone } from '../../../../lib/control/types';
import type { CallMessage, PbxMessage, RecordPayload } from '../../../../lib/messages/types';
import type { DialGuard, DialSettings } from '../../../../lib/outbound/types';
import { createPbx, type Pbx } from '../../../../lib/pbx/pbx';
import { numberingPlan } from '../../../../lib/phone';
import { knows } from '../../../../lib/presence/knows';
import { createSimulator } from '../../../../lib/simulator';
import type { SimulatedPhone, SimulatedUser, Simulator } from '../../../../lib/simulator/types';
import { TelephonyError } from '../../../../lib/errors';
import { until } from '../../../support/wait';

export const plan = numberingPlan({ country: 'RU' });

/** Direct line of 101 (the simulator's office). */
const DID_OF_101 = '74951000111';
export const DID_OF_102 = '74951000112';
export const CLIENT = '79261112233';

export const settings: DialSettings = {
  agentChannel: 'PJSIP/{extension}',
  context: 'from-internal',
  channels: [],
  dialAs: 'digits',
  autoAnswer: 'off',
  allow: [],
  deny: [],
  perMinute: 60,
  perCaller: 10,
  hold: 'redirect',
  addresses: new Map(),
};

/** Rules that allow all but one number, and remember what was asked of them. */
export class FakeGuard implements DialGuard {
  readonly asked: string[] = [];
  readonly taken: (string | undefined)[] = [];
  isFull = false;

  objection({ number, e164 }: { readonly number: string; readonly e164?: string }): TelephonyError | undefined {
    this.asked.push(e164 ?? number);
    const text = { en: 'No.', ru: 'Нет.' };
    return e164 === '+78095001234' ? new TelephonyError('DIAL_DENIED', text) : undefined;
  }

  take(by: string | undefined): ReturnType<DialGuard['take']> {
    this.taken.push(by);
    const error = new TelephonyError('DIAL_TOO_MANY', { en: 'Too many.', ru: 'Много.' });
    return this.isFull ? { free: false, at: 0, error } : { free: true };
  }

  remember(): void {
    // Nothing is capped here.
  }
}

export interface OfficeOptions {
  readonly hold?: DialSettings['hold'];
  readonly user?: Omit<SimulatedUser, 'username' | 'secret'>;
  readonly ringMs?: number;
  readonly phones?: readonly SimulatedPhone[];
}

/** The simulator's office, the control of its calls, and what the tracker tells of them. */
export class Office {
  readonly told: PbxMessage[] = [];
  private constructor(
    readonly simulator: Simulator,
    readonly pbx: Pbx,
    readonly control: CallControl,
    readonly guard: FakeGuard,
  ) {
    pbx.calls.subscribe((message) => void this.told.push(message));
  }

  static async open({ hold = 'redirect', user = {}, ringMs = 10, phones }: OfficeOptions = {}): Promise<Office> {
    const own = { username: 'crm', secret: 'crm-secret', ...user };
    const simulator = createSimulator({ ringMs, talkMs: 60_000, users: [own], ...(phones ? { phones } : {}) });
    const { host, port } = await simulator.start();
    const client = { host, port, username: own.username, secret: own.secret };
    const pbx = createPbx({ name: 'office', plan, connection: { kind: 'asterisk', driver: 'built-in', client } });
    const guard = new FakeGuard();
    const control = createCallControl({
      client: pbx.client,
      plan,
      dialling: { settings: { ...settings, hold }, guard },
      knows: (extension) => knows(pbx.presence, extension),
    });
    const office = new Office(simulator, pbx, control, guard);
    pbx.open();
    await until(() => pbx.client.state.phase === 'ready', 'the link');
    return office;
  }

  /** A client talks with 101; answers with the Linkedid. */
  async talk(): Promise<string> {
    const callId = await this.ring();
    await until(() => this.topics('101').includes('call_answer'), 'the answer');
    return callId;
  }

  /** A client calls 101, or whose direct line it is. */
  async ring(from = CLIENT, did = DID_OF_101): Promise<string> {
    const callId = await new Promise<string>((resolve) => {
      void this.simulator.call({ from, did, onBegin: resolve }).catch(() => undefined);
    });
    await until(() => this.calls().some((one) => one.payload.callId === callId), 'the ringing');
    return callId;
  }

  run(order: Readonly<Record<string, unknown>>): Promise<ControlDone> {
    return this.control.run(parseOrder(order));
  }

  /** The code of the error that the order ends in. */
  async refusal(order: Readonly<Record<string, unknown>>): Promise<string> {
    try {
      await this.run(order);
    } catch (thrown) {
      return (thrown as TelephonyError).code;
    }
    return 'done';
  }

  calls(): CallMessage[] {
    return this.told.flatMap((one) => (one.topic === 'user_change' || one.topic === 'gap' ? [] : [one]));
  }

  topics(extension: string): string[] {
    return this.calls().flatMap(({ topic, payload }) =>
      topic !== 'call_record' && payload.extension === extension ? [topic] : [],
    );
  }

  /** The one record of the one call. */
  async record(): Promise<RecordPayload> {
    const records = (): RecordPayload[] =>
      this.calls().flatMap((one) => (one.topic === 'call_record' ? [one.payload] : []));
    await until(() => records().length > 0, 'the record');
    assert.equal(records().length, 1);
    return records()[0]!;
  }

  /** Channels that live, by name without the number behind it. */
  async live(): Promise<string[]> {
    const rows = await this.pbx.client.list({ action: 'CoreShowChannels' });
    return rows.map((row) => (row.get('Channel') ?? '').replace(/-[^-]*$/, '')).sort();
  }

  async isUp(extension: string): Promise<boolean> {
    const rows = await this.pbx.client.list({ action: 'CoreShowChannels' });
    return rows.some((row) => row.get('Channel')?.startsWith(`PJSIP/${extension}-`) && row.get('ChannelState') === '6');
  }

  async close(): Promise<void> {
    await this.control.close();
    await this.pbx.close();
    await this.simulator.stop();
  }
}
