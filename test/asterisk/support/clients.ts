import { type IncomingCall, SipPhone } from './sip/phone';

/** What a client does who is called, and has been called `before` times. The call rings. */
export type Client = (call: IncomingCall, before: number) => void;

/** Hears everything. */
const patient: Client = (call) => call.answer();
/** Presses 1 until the call is over: where the message stands nobody has told. */
const confirming: Client = (call) => {
  call.answer();
  const pressing = setInterval(() => call.press('1'), 500);
  void call.ended.then(() => clearInterval(pressing));
};
const busy: Client = (call) => call.reject(486, 'Busy Here');
const declining: Client = (call) => call.reject(603, 'Decline');
/** His operator says so after a while. */
const away: Client = (call) => void setTimeout(() => call.reject(480, 'Temporarily Unavailable'), 700);
const ringing: Client = () => undefined;
/** Hangs up once he has listened for so long. */
const impatient =
  (ms: number): Client =>
  (call) => {
    call.answer();
    setTimeout(() => call.bye(), ms);
  };
/** Presses 1, and hangs up in the middle of a long message. */
const leaving: Client = (call, before) => {
  confirming(call, before);
  setTimeout(() => call.bye(), 8000);
};
const machine: Client = (call) => {
  call.answer();
  call.speak(6000);
};
/** Says hello, and listens. */
const speaking: Client = (call) => {
  call.answer();
  call.speak(600);
};
const busyAtFirst: Client = (call, before) => (before === 0 ? busy : patient)(call, before);

const CLIENTS = {
  patient,
  confirming,
  busy,
  declining,
  away,
  ringing,
  impatient: impatient(1500),
  leaving,
  machine,
  speaking,
  busyAtFirst,
} as const satisfies Readonly<Record<string, Client>>;

export type ClientKind = keyof typeof CLIENTS;

/** The clients behind one trunk: a phone that is called by many numbers. */
export class Clients {
  private readonly kinds = new Map<string, ClientKind>();

  private constructor(readonly phone: SipPhone) {}

  /** @param user the endpoint that plays the trunk */
  static async at(server: number, user: string): Promise<Clients> {
    const clients = new Clients(await SipPhone.registered({ server, user }));
    clients.reset();
    return clients;
  }

  /** @param number as the trunk gets it */
  add(number: string, kind: ClientKind): void {
    this.kinds.set(number, kind);
  }

  /** Every call of this client, in order. */
  callsOf(number: string): readonly IncomingCall[] {
    return this.phone.received.filter(({ calledNumber }) => calledNumber === number);
  }

  reset(): void {
    this.kinds.clear();
    this.phone.reset((call) => {
      const { calledNumber } = call;
      const kind = this.kinds.get(calledNumber);
      if (kind === undefined) call.reject(404, 'Not Found');
      else CLIENTS[kind](call, this.callsOf(calledNumber).length);
    });
  }
}
