import { HttpDouble, type DoubleReply, type DoubleRequest } from './support';

interface Agent {
  readonly login: string;
  readonly password: string;
  readonly extension: string;
  readonly state: string;
}

interface Leg {
  readonly address: string;
  state: string;
  cause: string;
}

interface Call {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly startedAt: number;
  state: string;
  readonly legs: Leg[];
}

const XML = { 'Content-Type': 'application/xml;charset=UTF-8' };
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

/**
 * Finesse as far as a click touches it: shapes, states and refusals of the developer guide 12.5 (Dialog, User, SystemInfo, "CTI Event Mappings",
 * table "Outgoing Call"). The calls move when the test says so: {@link originated}, {@link rings}, {@link answers}, {@link fails}, {@link ends}.
 */
export class FinesseDouble extends HttpDouble {
  readonly agents: Agent[] = [
    { login: 'anna', password: 'anna-Secret', extension: '1001', state: 'NOT_READY' },
    { login: 'boris', password: 'boris-Secret', extension: '1002', state: 'LOGOUT' },
  ];
  readonly calls: Call[] = [];
  /** What Finesse says of itself. */
  status = 'IN_SERVICE';
  /** Whether an accepted order becomes a call; `false`: the CTI server refuses it later, which only XMPP tells. */
  beginsCalls = true;
  /** Drops and other orders that came for calls, as `DROP 1001`. */
  readonly orders: string[] = [];
  /** How far the clock of the server is ahead, in ms. */
  ahead = 0;
  /** The time by which it lives. */
  now: () => number = () => Date.now();
  private counter = 16_777_216;

  /** How many times an order to call has come. */
  get ordered(): number {
    return this.requests.filter(({ method }) => method === 'POST').length;
  }

  /** A call as it begins: the phone is off the hook. */
  begin(from: string, to: string, startedAt = this.time()): string {
    const id = String((this.counter += 1));
    const legs = [{ address: from, state: 'INITIATING', cause: '' }];
    this.calls.push({ id, from, to, startedAt, state: 'INITIATING', legs });
    return id;
  }

  originated(id = this.last().id): void {
    this.move(id, 'INITIATED', ['INITIATED']);
  }

  rings(id = this.last().id): void {
    this.move(id, 'ALERTING', ['INITIATED', 'ALERTING']);
  }

  answers(id = this.last().id): void {
    this.move(id, 'ACTIVE', ['ACTIVE', 'ACTIVE']);
  }

  holds(id = this.last().id): void {
    this.move(id, 'ACTIVE', ['HELD', 'ACTIVE']);
  }

  fails(cause: string, id = this.last().id): void {
    this.move(id, 'FAILED', ['FAILED']);
    const [leg] = this.call(id).legs;
    if (leg) leg.cause = cause;
  }

  /** The call is removed. */
  ends(id = this.last().id): void {
    this.calls.splice(this.calls.indexOf(this.call(id)), 1);
  }

  private time(): number {
    return this.now() + this.ahead;
  }

  private last(): Call {
    const call = this.calls.at(-1);
    if (!call) throw new Error('there is no call');
    return call;
  }

  private call(id: string): Call {
    const call = this.calls.find((one) => one.id === id);
    if (!call) throw new Error(`there is no call ${id}`);
    return call;
  }

  private move(id: string, state: string, legs: readonly string[]): void {
    const call = this.call(id);
    call.state = state;
    if (legs.length > call.legs.length) call.legs.push({ address: call.to, state: '', cause: '' });
    call.legs.forEach((leg, place) => (leg.state = legs[place] ?? leg.state));
  }

  protected handle(request: DoubleRequest): DoubleReply {
    const reply = this.reply(request);
    return { ...reply, headers: { ...XML, Date: new Date(this.time()).toUTCString(), ...reply.headers } };
  }

  private reply(request: DoubleRequest): DoubleReply {
    const { method, path } = request;
    const [, kind = '', id = '', part = ''] = /^\/finesse\/api\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? [];
    if (kind === 'SystemInfo')
      return { status: 200, body: `${HEAD}<SystemInfo>${tag('status', this.status)}</SystemInfo>` };
    const agent = this.agents.find((one) => basic(one) === request.headers.authorization);
    if (agent === undefined) return refused(401, 'Authorization Failure', 'UNAUTHORIZED', decodeURIComponent(id));
    if (this.status !== 'IN_SERVICE') return refused(503, 'Service Unavailable', 'OUT_OF_SERVICE', '');
    if (kind === 'Dialog' && method === 'PUT') return this.order(agent, id, request.body.toString('utf8'));
    const user = this.agents.find(({ login }) => login === decodeURIComponent(id));
    if (kind !== 'User' || user === undefined)
      return refused(404, 'User Not Found', 'UNKNOWN_USER', decodeURIComponent(id));
    if (user !== agent) {
      const words = "The user specified in the authentication credentials and the uri don't match";
      return refused(401, 'Invalid Authorization User Specified', words, user.login);
    }
    if (part === 'Dialogs' && method === 'POST') return this.makeCall(agent, request.body.toString('utf8'));
    if (part === 'Dialogs') return { status: 200, body: HEAD + this.dialogs(agent) };
    return { status: 200, body: HEAD + userXml(agent) };
  }

  private makeCall(agent: Agent, body: string): DoubleReply {
    const [from, to] = [valueIn(body, 'fromAddress'), valueIn(body, 'toAddress')];
    if (valueIn(body, 'requestedAction') !== 'MAKE_CALL')
      return refused(400, 'Parameter Missing', 'requestedAction', '');
    if (from === to) return refused(400, 'Invalid Destination', 'Invalid destination', to);
    if (from !== agent.extension || agent.state === 'LOGOUT') return refused(400, 'Invalid Input', 'fromAddress', from);
    if (this.beginsCalls) this.begin(from, to);
    return { status: 202 };
  }

  private order(agent: Agent, id: string, body: string): DoubleReply {
    const target = valueIn(body, 'targetMediaAddress');
    const call = this.calls.find((one) => one.id === id);
    this.orders.push(`${valueIn(body, 'requestedAction')} ${target}`);
    if (!call) return refused(404, 'Dialog Not Found', 'Invalid dialogId specified for dialog', id);
    if (target !== agent.extension) return refused(400, 'Invalid Input', 'targetMediaAddress', target);
    this.ends(id);
    return { status: 202 };
  }

  private dialogs({ extension }: Agent): string {
    const own = this.calls.filter(({ legs }) => legs.some(({ address }) => address === extension));
    return `<Dialogs>${own.map(dialogXml).join('')}</Dialogs>`;
  }
}

const basic = ({ login, password }: Agent): string => `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;

const tag = (name: string, value: string): string =>
  value === '' ? `<${name}/>` : `<${name}>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>`;

const valueIn = (body: string, name: string): string =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1]?.trim() ?? '';

function refused(status: number, type: string, message: string, data: string): DoubleReply {
  const error = tag('ErrorType', type) + tag('ErrorMessage', message) + tag('ErrorData', data);
  return { status, body: `${HEAD}<ApiErrors><ApiError>${error}</ApiError></ApiErrors>` };
}

function userXml({ login, extension, state }: Agent): string {
  const signedIn = state === 'LOGOUT' ? '' : extension;
  const tags = tag('loginId', login) + tag('loginName', login) + tag('state', state) + tag('extension', signedIn);
  return `<User>${tag('uri', `/finesse/api/User/${login}`)}<roles><role>Agent</role></roles>${tags}</User>`;
}

function dialogXml({ id, from, to, state, startedAt, legs }: Call): string {
  const properties = tag('dialedNumber', to) + tag('callType', 'OUT') + tag('DNIS', to);
  const participants = legs.map(({ address, state: leg, cause }, place) => {
    const type = place === 0 ? 'AGENT_DEVICE' : '';
    const actions = '<actions><action>UPDATE_CALL_DATA</action><action>DROP</action></actions>';
    const times = tag('startTime', new Date(startedAt).toISOString());
    return `<Participant>${actions}${tag('mediaAddress', address)}${tag('mediaAddressType', type)}${times}${tag('state', leg)}${tag('stateCause', cause)}</Participant>`;
  });
  return [
    `<Dialog><associatedDialogUri/>${tag('fromAddress', from)}${tag('id', id)}<secondaryId/>`,
    `<mediaProperties>${properties}<callvariables/></mediaProperties>${tag('mediaType', 'Voice')}`,
    `<participants>${participants.join('')}</participants>${tag('state', state)}${tag('toAddress', to)}`,
    `${tag('uri', `/finesse/api/Dialog/${id}`)}</Dialog>`,
  ].join('');
}
