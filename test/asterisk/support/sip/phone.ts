import { EventEmitter, once } from 'node:events';
import { answerDigest } from './digest';
import { SipEndpoint, token } from './endpoint';
import { allHeaders, formatAddress, header, parseAddress, type SipRequest, type SipResponse } from './message';
import { voice } from './voice';

/** What a phone does with a call by itself; `silent` does not even answer "Trying". A function gets the ringing call. */
export type PhoneRule = 'ring' | 'answer' | 'busy' | 'decline' | 'silent' | ((call: IncomingCall) => void);

export interface CallOptions {
  /** Whom the other side shall see; default: the phone's own user. */
  readonly fromNumber?: string;
  readonly fromName?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SipPhoneOptions {
  /** Where Asterisk listens, at 127.0.0.1. */
  readonly server: number;
  readonly user: string;
  /** Default `secret-<user>`, as in the configuration of the tests. */
  readonly secret?: string;
}

/** A SIP phone over UDP, without media: registers, takes calls by a rule, places calls. */
export class SipPhone {
  /** Every call that came in, in order: a test reads here what the phone showed. */
  received: readonly IncomingCall[] = [];
  rule: PhoneRule = 'ring';

  private readonly endpoint: SipEndpoint;
  private readonly dialogs = new Map<string, Dialog>();
  private readonly arrivals = new EventEmitter();
  private taken = 0;

  private constructor(private readonly options: SipPhoneOptions) {
    this.endpoint = new SipEndpoint(options.server);
  }

  static async open(options: SipPhoneOptions): Promise<SipPhone> {
    const phone = new SipPhone(options);
    await phone.endpoint.open((request) => phone.handle(request));
    return phone;
  }

  /** As {@link open}, and registered. */
  static async registered(options: SipPhoneOptions): Promise<SipPhone> {
    const phone = await SipPhone.open(options);
    try {
      await phone.register();
    } catch (error) {
      phone.close();
      throw error;
    }
    return phone;
  }

  async register(seconds = 3600): Promise<void> {
    const uri = `sip:${this.endpoint.server}`;
    const fixed: [string, string][] = [
      ['From', `<${this.address}>;tag=${token()}`],
      ['To', `<${this.address}>`],
      ['Call-ID', token()],
      ['Contact', `<${this.contact}>`],
      ['Expires', String(seconds)],
      ['Max-Forwards', '70'],
    ];
    const ask = (sequence: number, authorization: [string, string][]) =>
      new Promise<SipResponse>((resolve) => {
        const headers = [this.endpoint.via(), ['CSeq', `${sequence} REGISTER`] as const, ...fixed, ...authorization];
        this.endpoint.request({ start: { method: 'REGISTER', uri }, headers, body: '' }, (response) => {
          if (response.start.status >= 200) resolve(response);
        });
      });
    let response = await ask(1, []);
    if (response.start.status === 401) response = await ask(2, [this.authorization(response, 'REGISTER', uri)]);
    if (response.start.status !== 200)
      throw new Error(`${this.options.user} was not registered: ${response.start.status}`);
  }

  unregister(): Promise<void> {
    return this.register(0);
  }

  /** Places a call; the promises of the returned call tell how it goes. */
  call(number: string, options: CallOptions = {}): OutgoingCall {
    const from = formatAddress(options.fromName, `sip:${options.fromNumber ?? this.options.user}@127.0.0.1`);
    const call = new OutgoingCall(this.endpoint, {
      callId: token(),
      local: `${from};tag=${token()}`,
      remote: `<sip:${number}@${this.endpoint.server}>`,
      target: `sip:${number}@${this.endpoint.server}`,
      contact: this.contact,
    });
    this.dialogs.set(call.callId, call);
    call.invite(Object.entries(options.headers ?? {}), (response, uri) => this.authorization(response, 'INVITE', uri));
    return call;
  }

  /** The next call that comes in and was not given out yet; fails after `ms`. */
  async nextCall(ms = 15_000): Promise<IncomingCall> {
    const index = this.taken++;
    const deadline = AbortSignal.timeout(ms);
    try {
      while (!this.received[index]) await once(this.arrivals, 'call', { signal: deadline });
    } catch (cause) {
      throw new Error(`phone ${this.options.user} was not called within ${ms} ms`, { cause });
    }
    return this.received[index];
  }

  /** Forgets the calls of an earlier test and behaves as told. */
  reset(rule: PhoneRule): void {
    this.received = [];
    this.taken = 0;
    this.rule = rule;
  }

  /** Gives up all calls without a word, as a phone that lost its power. */
  close(): void {
    this.endpoint.close();
  }

  private get address(): string {
    return `sip:${this.options.user}@${this.endpoint.server}`;
  }

  private get contact(): string {
    return `sip:${this.options.user}@127.0.0.1:${this.endpoint.port}`;
  }

  private authorization(response: SipResponse, method: string, uri: string): [string, string] {
    const { user, secret = `secret-${user}` } = this.options;
    return ['Authorization', answerDigest(header(response, 'WWW-Authenticate'), user, secret, method, uri)];
  }

  private handle(request: SipRequest): void {
    const dialog = this.dialogs.get(header(request, 'Call-ID'));
    if (dialog) dialog.handle(request);
    else if (request.start.method === 'INVITE') this.takeCall(request);
    else if (request.start.method !== 'ACK') this.endpoint.respond(request, 200, 'OK');
  }

  private takeCall(invite: SipRequest): void {
    if (this.rule === 'silent') return;
    const call = new IncomingCall(this.endpoint, invite, this.contact);
    this.dialogs.set(call.callId, call);
    if (this.rule === 'busy') call.reject(486, 'Busy Here');
    else if (this.rule === 'decline') call.reject(603, 'Decline');
    else call.ring();
    if (this.rule === 'answer') call.answer();
    if (typeof this.rule === 'function') this.rule(call);
    this.received = [...this.received, call];
    this.arrivals.emit('call');
  }
}

interface DialogParties {
  readonly callId: string;
  /** From and To as this side sends them. */
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly contact: string;
}

/** What both kinds of calls share: an end, and requests inside the call. */
abstract class Dialog {
  /** Resolves when the call is over, whoever ended it, with the final SIP status of a call that was never answered. */
  readonly ended: Promise<number | undefined>;
  isOver = false;
  protected settleEnd!: (status: number | undefined) => void;
  protected parties: DialogParties;
  private sequence = 1;
  private byes = 0;

  constructor(
    protected readonly endpoint: SipEndpoint,
    parties: DialogParties,
  ) {
    this.parties = parties;
    this.ended = new Promise((resolve) => {
      this.settleEnd = (status) => {
        this.isOver = true;
        resolve(status);
      };
    });
  }

  get callId(): string {
    return this.parties.callId;
  }

  /** Hangs up an answered call; again, when Asterisk does not know the call yet or is changing it at that moment. */
  bye(): void {
    const request = this.build('BYE', ++this.sequence);
    this.endpoint.request(request, ({ start: { status } }) => {
      if (status < 200) return;
      if (status < 300 || this.byes++ > 20) this.settleEnd(undefined);
      else setTimeout(() => this.isOver || this.bye(), 250);
    });
  }

  handle(request: SipRequest): void {
    switch (request.start.method) {
      case 'ACK': {
        this.onAck();
        return;
      }
      case 'BYE':
        this.endpoint.respond(request, 200, 'OK');
        {
          this.settleEnd(undefined);
          return;
        }
      case 'CANCEL':
        this.endpoint.respond(request, 200, 'OK');
        {
          this.onCancel();
          return;
        }
      case 'NOTIFY':
        this.endpoint.respond(request, 200, 'OK');
        this.notified(header(request, 'Event'));
        return;
      case 'INVITE':
        // Asterisk tells a changed party this way; the media stay as they are.
        this.endpoint.respond(request, 200, 'OK', [['Contact', `<${this.parties.contact}>`], SDP_TYPE], sdp())();
        return;
      default:
        this.endpoint.respond(request, 200, 'OK');
    }
  }

  /** Holds its side, or takes it back, as phones do that were asked to by the PBX. */
  protected notified(event: string): void {
    if (event !== 'hold' && event !== 'talk') return;
    const sequence = ++this.sequence;
    const request = this.build('INVITE', sequence, [SDP_TYPE], sdp(event === 'hold' ? 'sendonly' : 'sendrecv'));
    this.endpoint.request(request, (response) => {
      if (response.start.status >= 200) this.endpoint.send(this.build('ACK', sequence));
    });
  }

  protected onAck(): void {
    // An ACK to a refusal: nothing more to do.
  }

  protected onCancel(): void {
    // Only a ringing call can be cancelled.
  }

  protected build(
    method: string,
    sequence: number,
    extra: readonly (readonly [string, string])[] = [],
    body = '',
  ): SipRequest {
    const { callId, local, remote, target, contact } = this.parties;
    const headers = [
      ...(extra.some(([name]) => name === 'Via') ? [] : [this.endpoint.via()]),
      ['From', local] as const,
      ['To', remote] as const,
      ['Call-ID', callId] as const,
      ['CSeq', `${sequence} ${method}`] as const,
      ['Contact', `<${contact}>`] as const,
      ['Max-Forwards', '70'] as const,
      ...extra,
    ];
    return { start: { method, uri: target }, headers, body };
  }

  protected nextSequence(): number {
    return ++this.sequence;
  }
}

/** A call that rings at the phone. */
export class IncomingCall extends Dialog {
  /** What the phone shows of the caller. */
  readonly callerName: string;
  readonly callerNumber: string;
  /** Whom the caller wanted: the user part of the request. */
  readonly calledNumber: string;
  private stopRepeating: () => void = () => undefined;
  private answeredAlready = false;
  private beSilent: () => void = () => undefined;

  constructor(
    endpoint: SipEndpoint,
    private readonly invite: SipRequest,
    contact: string,
  ) {
    const local = `${header(invite, 'To')};tag=${token()}`;
    const remote = header(invite, 'From');
    const target = parseAddress(header(invite, 'Contact')).uri;
    super(endpoint, { callId: header(invite, 'Call-ID'), local, remote, target, contact });
    const shown = parseAddress(remote);
    this.callerName = shown.name;
    this.callerNumber = shown.user;
    this.calledNumber = parseAddress(`<${invite.start.uri}>`).user;
  }

  /** All values of a header of the INVITE. */
  headers(name: string): string[] {
    return allHeaders(this.invite, name);
  }

  ring(): void {
    this.reply(180, 'Ringing');
  }

  answer(): void {
    this.answeredAlready = true;
    this.stopRepeating = this.reply(200, 'OK', [SDP_TYPE], sdp());
  }

  reject(status: number, reason: string): void {
    this.reply(status, reason);
    this.settleEnd(status);
  }

  /** Presses a key in an answered call (SIP INFO: the endpoint needs `dtmf_mode = info`). */
  press(digit: string): void {
    const type: [string, string] = ['Content-Type', 'application/dtmf-relay'];
    const request = this.build('INFO', this.nextSequence(), [type], `Signal=${digit}\r\nDuration=160\r\n`);
    this.endpoint.request(request, () => undefined);
  }

  /** Speaks for so long, then is silent; the sound of nothing is sent until the call is over. */
  speak(ms: number): void {
    this.beSilent();
    this.beSilent = voice(this.invite.body, ms);
    void this.ended.then(this.beSilent);
  }

  protected override onAck(): void {
    this.stopRepeating();
  }

  protected override onCancel(): void {
    if (!this.answeredAlready && !this.isOver) this.reject(487, 'Request Terminated');
  }

  private reply(status: number, reason: string, extra: [string, string][] = [], body = ''): () => void {
    const own: [string, string][] = [
      ['To', this.parties.local],
      ['Contact', `<${this.parties.contact}>`],
    ];
    return this.endpoint.respond(this.invite, status, reason, [...own, ...extra], body);
  }
}

/** A call that the phone places. */
export class OutgoingCall extends Dialog {
  /** Resolves when the other side answers; never, when it does not: race it with `ended`. */
  readonly answered: Promise<void>;
  isAnswered = false;
  private settleAnswer!: () => void;
  private current: SipRequest | undefined;

  constructor(endpoint: SipEndpoint, parties: DialogParties) {
    super(endpoint, parties);
    this.answered = new Promise((resolve) => {
      this.settleAnswer = resolve;
    });
  }

  /** @param authorize gives the header that answers a challenge */
  invite(
    extra: readonly (readonly [string, string])[],
    authorize: (response: SipResponse, uri: string) => [string, string],
    sequence = 1,
  ): void {
    const request = this.build('INVITE', sequence, [SDP_TYPE, ...extra], sdp());
    this.current = request;
    this.endpoint.request(request, (response) => {
      const { status } = response.start;
      if (status < 200) return;
      if (status < 300) {
        this.accept(response, sequence);
        return;
      }
      this.endpoint.send(this.acknowledge(request, response, sequence));
      if (status === 401 && sequence === 1) {
        const next = this.nextSequence();
        this.invite([...extra, authorize(response, request.start.uri)], authorize, next);
      } else this.settleEnd(status);
    });
  }

  /** Gives up before the answer. */
  cancel(): void {
    if (!this.current || this.isAnswered) return;
    const [via, sequence] = [header(this.current, 'Via'), Number.parseInt(header(this.current, 'CSeq'), 10)];
    this.endpoint.request(this.build('CANCEL', sequence, [['Via', via]]), () => undefined);
  }

  private accept(response: SipResponse, sequence: number): void {
    const contact = allHeaders(response, 'Contact')[0];
    this.parties = {
      ...this.parties,
      remote: header(response, 'To'),
      ...(contact === undefined ? {} : { target: parseAddress(contact).uri }),
    };
    this.endpoint.send(this.build('ACK', sequence));
    this.isAnswered = true;
    this.settleAnswer();
  }

  /** The ACK of a refusal belongs to the transaction of its INVITE. */
  private acknowledge(invite: SipRequest, response: SipResponse, sequence: number): SipRequest {
    const request = this.build('ACK', sequence, [['Via', header(invite, 'Via')]]);
    const headers = request.headers.map(
      ([name, value]) => [name, name === 'To' ? header(response, 'To') : value] as const,
    );
    return { ...request, headers };
  }
}

const SDP_TYPE: [string, string] = ['Content-Type', 'application/sdp'];

/** An offer of G.711 to a port where nobody listens: the tests hear nothing and say nothing. */
function sdp(direction: 'sendrecv' | 'sendonly' = 'sendrecv'): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 9 RTP/AVP 0'];
  return [...lines, `a=${direction}`, ''].join('\r\n');
}
