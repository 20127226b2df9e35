import { until } from '../../support/wait';
import { type AsteriskOptions, startAsterisk, type TestAsterisk } from './asterisk';
import { type CallOptions, type IncomingCall, type OutgoingCall, SipPhone } from './sip/phone';

/** The numbers under which the provider's calls come in: one for each way to route (test/asterisk/config/extensions.conf). */
export const DID = {
  overHttp: '74951000001',
  overAgi: '74951000002',
  itgrix: '74951000003',
  overHttpReturning: '74951000004',
  overAgiReturning: '74951000005',
} as const;

/** Who calls, unless a test says otherwise. */
const CALLER = { fromNumber: '+74951343060', fromName: 'Provider' } as const;

const PHONES = ['101', '102', 'ivr'] as const;
type PhoneName = (typeof PHONES)[number];

/** An Asterisk, its provider, two people with phones, and a phone that rings when a call goes its usual way. */
export class TestBed {
  private constructor(
    readonly asterisk: TestAsterisk,
    readonly phones: Readonly<Record<PhoneName, SipPhone>>,
    private readonly provider: SipPhone,
  ) {}

  static async start(options: AsteriskOptions): Promise<TestBed> {
    const asterisk = await startAsterisk(options);
    const server = asterisk.sipPort;
    const open = (user: PhoneName) => SipPhone.registered({ server, user });
    const phones = { '101': await open('101'), '102': await open('102'), ivr: await open('ivr') };
    return new TestBed(asterisk, phones, await SipPhone.open({ server, user: 'provider' }));
  }

  /** Puts every phone back: registered, and answering at once. */
  async reset(): Promise<void> {
    for (const phone of Object.values(this.phones)) {
      phone.reset('answer');
      await phone.register();
    }
  }

  /** A call comes in from the provider. */
  call(did: string, caller: CallOptions = CALLER): OutgoingCall {
    return this.provider.call(did, { ...caller, headers: { 'X-Trunk': 'provider' } });
  }

  /** A call comes in; resolves when a phone has taken it, with what that phone shows. */
  async route(did: string, caller: CallOptions = CALLER): Promise<RoutedCall> {
    const started = performance.now();
    const call = this.call(did, caller);
    const refused = await Promise.race([
      call.answered,
      call.ended.then((status) => `the call was refused with ${String(status)}`),
      new Promise<string>((resolve) => setTimeout(() => resolve('nobody took the call within 30 s'), 30_000).unref()),
    ]);
    const afterMs = performance.now() - started;
    if (typeof refused === 'string') throw new Error(`${refused}\n${this.asterisk.log().slice(-6000)}`);
    for (const name of PHONES) {
      const taken = this.phones[name].received.find((one) => !one.isOver);
      if (taken)
        return { phone: name, callerName: taken.callerName, callerNumber: taken.callerNumber, afterMs, call, taken };
    }
    throw new Error('the call was answered by none of the phones');
  }

  /** Ends every call, and waits until the PBX knows it. */
  async hangUpAll(): Promise<void> {
    await this.asterisk.cli('channel request hangup all');
    await until(
      async () => (await this.asterisk.cli('core show channels count')).startsWith('0 active channels'),
      'all calls to end',
    );
  }

  async stop(): Promise<void> {
    for (const phone of [...Object.values(this.phones), this.provider]) phone.close();
    await this.asterisk.stop();
  }
}

export interface RoutedCall {
  readonly phone: PhoneName;
  /** What the phone that took the call showed. */
  readonly callerName: string;
  readonly callerNumber: string;
  /** From the first INVITE to the answer. */
  readonly afterMs: number;
  readonly call: OutgoingCall;
  readonly taken: IncomingCall;
}
