import { AmoDouble } from '../../doubles/amocrm';
import { BitrixDouble } from '../../doubles/bitrix24';
import { EspoDouble } from '../../doubles/espocrm';
import { RetailDouble } from '../../doubles/retailcrm';
import { DoubleServer, type DoubleReply, type DoubleRequest } from '../../doubles/support';
import { UserCrmDouble } from '../../doubles/usercrm';

/** A call as a CRM has it; what a CRM has no field for is absent. */
export interface KeptCall {
  readonly direction: 'in' | 'out';
  /** International, with its plus. */
  readonly number: string;
  /** The CRM user whose call it is. */
  readonly manager: string | undefined;
  readonly isAnswered: boolean;
  readonly talkSeconds: number;
  /** ISO 8601, in whole seconds. */
  readonly startedAt: string;
}

/** A CRM for the example of its kind, with what an admin fills in. */
export interface ExampleCrm {
  readonly server: DoubleServer;
  /** Of `crm-config`: the fields, the keys, and the user of each extension. */
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly users: Readonly<Record<string, string>>;
  /** What is changed in `crm-webhook-out`. */
  readonly choices?: Readonly<Record<string, string>>;
  /** Every call that the CRM has, twice if it was written twice. */
  calls(): readonly KeptCall[];
}

/** Of the client who calls in the examples. */
export const CLIENT = '+74951343060';

const iso = (time: string | number): string => new Date(time).toISOString().slice(0, 19);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

async function bitrix24(): Promise<ExampleCrm> {
  const portal = await new BitrixDouble().start();
  const users = { '101': '7', '102': '8', '105': '9' };
  for (const ID of Object.values(users)) portal.crm.addUser({ ID });
  return {
    server: portal.server,
    settings: {},
    secrets: { token: portal.webhook },
    users,
    calls: () =>
      portal.telephony.finished.map(({ call, userId, duration, status }) => ({
        direction: call.type === 2 ? 'in' : 'out',
        number: call.number,
        manager: userId,
        isAnswered: status === '200',
        talkSeconds: duration,
        startedAt: iso(call.startedAt),
      })),
  };
}

async function espocrm(): Promise<ExampleCrm> {
  const crm = await new EspoDouble().start();
  const user = (name: string): string => crm.add('User', { name, userName: name, type: 'regular', isActive: true });
  const contact = crm.add('Contact', { firstName: 'Пётр', lastName: 'Петров', phoneNumber: CLIENT });
  return {
    server: crm.server,
    settings: { url: crm.origin },
    secrets: { token: crm.key },
    users: { '101': user('Анна'), '102': user('Борис'), '105': user('Дарья') },
    calls: () =>
      crm.all('Call').map((call) => ({
        direction: call.direction === 'Inbound' ? 'in' : 'out',
        number: call.parentId === contact ? CLIENT : text(call.name),
        manager: text(call.assignedUserId),
        isAnswered: call.status === 'Held',
        talkSeconds: Number(/^Разговор, с: (\d+)$/m.exec(text(call.description))?.[1] ?? 0),
        startedAt: iso(`${text(call.dateStart)}Z`),
      })),
  };
}

async function usercrm(): Promise<ExampleCrm> {
  const crm = await new UserCrmDouble().start();
  const users: Readonly<Record<string, string>> = { '101': '1', '102': '2', '105': '3' };
  return {
    server: crm.server,
    settings: { url: crm.url },
    secrets: { token: crm.key },
    users,
    calls: () =>
      crm.events
        .filter(({ action }) => action === 'cdr_append')
        .map(({ body }) => ({
          direction: body.direction === 1 ? 'in' : 'out',
          number: text(body.src),
          // The record of this protocol names the extension alone.
          manager: users[text(body.dst)],
          isAnswered: body.dial_status === 0,
          talkSeconds: Number(body.billsec),
          startedAt: iso(Number(body.dt) * 1000),
        })),
  };
}

async function amocrm(): Promise<ExampleCrm> {
  const crm = await new AmoDouble().start();
  crm.addClient('contacts', 'Пётр Петров', CLIENT);
  return {
    server: crm.server,
    settings: { url: crm.origin },
    secrets: { token: crm.token },
    users: { '101': '11', '102': '12', '105': '15' },
    calls: () =>
      crm.notes.map(({ note_type, params }) => ({
        direction: note_type === 'call_in' ? 'in' : 'out',
        number: text(params.phone),
        manager: String(params.responsible_user_id),
        isAnswered: params.call_status === 4,
        talkSeconds: Number(params.duration),
        startedAt: iso(Number(params.created_at) * 1000),
      })),
  };
}

async function retailcrm(): Promise<ExampleCrm> {
  const crm = await new RetailDouble().start();
  const user = (code: string): string => String(crm.addUser({ code }).id);
  return {
    server: crm.server,
    settings: { url: crm.origin },
    secrets: { token: crm.key },
    users: { '101': user('101'), '102': user('102'), '105': user('105') },
    calls: () =>
      crm.calls.map((call) => ({
        direction: call.type === 'in' ? 'in' : 'out',
        number: text(call.phone),
        manager: String(call.userId),
        isAnswered: call.result === 'answered',
        talkSeconds: Number(call.duration),
        // It keeps the time of Moscow, which is three hours ahead all year.
        startedAt: iso(`${text(call.date)}+03:00`),
      })),
  };
}

/** A web service as somebody writes it for himself: it keeps what is posted, by its id. */
async function webService(): Promise<ExampleCrm> {
  const posted = new Map<string, Readonly<Record<string, unknown>>>();
  const answer = ({ method, path, headers, body }: DoubleRequest): DoubleReply => {
    if (headers.authorization !== 'Bearer my-key') return { status: 401, body: { error: 'no such key' } };
    if (method !== 'POST' || path !== '/api/calls') return { status: 404 };
    const call = JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>;
    posted.set(text(call.id), call);
    return { status: 201, body: { taken: call.id } };
  };
  const server = await new DoubleServer(answer).start();
  return {
    server,
    settings: { url: `${server.origin}/api/clients?phone={{digits}}` },
    secrets: { token: 'my-key' },
    users: { '101': 'anna', '102': 'boris', '105': 'darya' },
    choices: { deliverUrl: `${server.origin}/api/calls` },
    calls: () =>
      [...posted.values()].map((call) => ({
        direction: call.direction === 'in' ? 'in' : 'out',
        number: text(call.phone),
        manager: text(call.manager),
        isAnswered: call.result === 'answered',
        talkSeconds: Number(call.seconds),
        startedAt: iso(Number(call.start) * 1000),
      })),
  };
}

/** By the kind of CRM. Each example `02-cdr-export-….json` needs the one of its kind here. */
export const exampleCrms: Readonly<Record<string, (() => Promise<ExampleCrm>) | undefined>> = {
  amocrm,
  bitrix24,
  espocrm,
  retailcrm,
  usercrm,
  'generic-http': webService,
};
