import { HttpDouble, type DoubleReply, type DoubleRequest } from './support';

type Fields = Readonly<Record<string, unknown>>;

const leg = {
  call_id: '7c97ce9e-97aa-4549-9a92-e0d63f570db8',
  session_id: '93758923-1664-44eb-ae6c-59b27c53b805',
  crm_user: '3',
  domain_user: '9022',
  other_leg: '+74952523060',
};
const held = {
  user_uid: '9022',
  crm_user: '3',
  call_id: 'd319b916-e987-4c0f-9b08-b915a72526fb',
  session_id: 'd319b916-e987-4c0f-9b08-b915a72526fb',
  other_leg: '+79066800404',
  direction: 0,
};

/** The bodies of the protocol's document, field by field; what is a text there stays a text. */
const DOCUMENTED: Readonly<Record<string, Fields>> = {
  user_change: { user_uid: '9022', crm_user: '3', status: 1, protocol: 0 },
  agent_change: { user_uid: '1022', crm_user: '2', base_status: -1, extra_status: 1, status_name: 'В работе' },
  call_ringing: { ...leg, rt_vars: { gateway_number: '74951343060' }, direction: 0 },
  call_answer: { ...leg, rt_vars: { gateway_number: '74951343060' }, direction: 0 },
  call_hangup: { ...leg, rt_vars: { hangup_cause: 'NORMAL_CLEARING' }, direction: 0, variable_answersec: '9' },
  call_held: held,
  call_active: held,
  cdr_append: {
    id: 112666,
    uniqueid: '5548f6ab-efab-4dd9-843b-c53f50a5506a',
    dt: 1633333012.0,
    src: '9022',
    dst: '+74952523060',
    duration: 14,
    billsec: 3,
    cc_queue_waiting_time: 0,
    lastapp: 'bind_digit_action',
    lastdata: 'office.runtel.org,~%5C*1,exec%3Aexecute_extension,*1%20XML%20office.runtel.org,a',
    rec_path: 'office.runtel.org/2021-10-04/',
    gateway: 'Test1',
    gateway_number: '+74951343060',
    dial_status: 0,
    direction: 0,
    project_id: 0,
    project_name: '',
    bridge_hangup_cause: 'NORMAL_CLEARING',
    hold_accum_seconds: 0,
    geo_ids: '...',
    geo_names: '...',
    link: 'https://pbx.runtel.org/get_file?file=onWde...',
  },
};

const USERS = [
  { id: '1', name: 'Менеджер Рита' },
  { id: '2', name: 'Менеджер Иван' },
];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What differs from the document, in words; nothing when the message is as it should be. `raw`: its text, for what JSON.parse hides. */
export function problemsOf(raw: string): string[] {
  const message = JSON.parse(raw) as Fields;
  const { action, action_id: id, obj, code, notifies, body, ...more } = message;
  const documented = DOCUMENTED[String(action)];
  if (documented === undefined) return [`there is no event "${String(action)}"`];
  const problems = Object.keys(more).map((name) => `the envelope has "${name}"`);
  if (typeof id !== 'string' || !UUID.test(id)) problems.push('action_id is no UUID');
  if (obj !== 'UserCRM') problems.push('obj is not UserCRM');
  if (code !== 200) problems.push('code is not 200');
  if (!Array.isArray(notifies) || notifies.length > 0) problems.push('notifies is no empty list');
  problems.push(...differences('body', documented, body));
  const { id: number, dt } = body as Fields;
  if (action === 'cdr_append' && !Number.isSafeInteger(number)) problems.push('body.id is no integer');
  if (typeof dt === 'number' && !/"dt":\d+\.\d/.test(raw)) problems.push('body.dt is no float');
  return problems;
}

/** Every field of the document and no other, each of the same JSON type. */
function differences(path: string, documented: unknown, sent: unknown): string[] {
  if (typeof documented !== 'object' || documented === null) {
    return typeof sent === typeof documented ? [] : [`${path} is ${typeof sent}, not ${typeof documented}`];
  }
  if (typeof sent !== 'object' || sent === null) return [`${path} is no object`];
  const [want, have] = [documented as Fields, sent as Fields];
  const extra = Object.keys(have).filter((name) => !(name in want));
  return [
    ...extra.map((name) => `${path}.${name} is not in the document`),
    ...Object.entries(want).flatMap(([name, value]) =>
      name in have ? differences(`${path}.${name}`, value, have[name]) : [`${path}.${name} is missing`],
    ),
  ];
}

/**
 * A CRM that speaks UserCRM as the document of Runtel has it: `test` without a key, everything else with one; events are checked
 * field by field and refused with the words of {@link problemsOf}. Second deliveries are told by `action_id`.
 */
export class UserCrmDouble extends HttpDouble {
  readonly key = 'crm-api-key';
  /** The events taken, each once, in order. */
  readonly events: { readonly action: string; readonly body: Fields; readonly headers: DoubleRequest['headers'] }[] =
    [];
  /** How many were sent again. */
  repeated = 0;
  /** What `get_contact` answers with. */
  contacts: readonly Fields[] = [];
  private readonly known = new Set<string>();

  get url(): string {
    return `${this.server.origin}/usercrm`;
  }

  protected handle(request: DoubleRequest): DoubleReply {
    if (request.method !== 'POST') return { status: 405, body: { error: 'POST only' } };
    const raw = request.body.toString('utf8');
    const message = JSON.parse(raw) as Fields;
    const action = String(message.action);
    const done = (more: Fields) => ({ status: 200, body: { action, obj: 'UserCRM', code: 200, ...more } });
    if (action === 'test') return done({ body: { success: true } });
    const isKnown = request.headers.authorization === `Bearer ${this.key}`;
    if (!isKnown) return { status: 401, body: { error: 'no such key' } };
    if (action === 'get_users') return done({ body: USERS });
    if (action === 'get_contact') return done({ list: this.contacts });

    const problems = problemsOf(raw);
    if (problems.length > 0) return { status: 400, body: { error: problems.join('; ') } };
    const id = String(message.action_id);
    if (this.known.has(id)) this.repeated += 1;
    else this.events.push({ action, body: message.body as Fields, headers: request.headers });
    this.known.add(id);
    return done({ body: { success: true } });
  }
}
