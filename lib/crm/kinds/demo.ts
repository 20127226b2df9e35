import { systemClock } from '../../clock';
import type { Text } from '../../errors';
import { DELIVERABLE_TOPICS } from '../../messages/deliverable';
import { unreachableError } from '../errors';
import { wholeNumber } from '../numbers';
import { SettingsReader } from '../settings';
import type {
  CallContext,
  ClientWish,
  CrmAdapter,
  CrmAnswer,
  CrmEntity,
  CrmKind,
  CrmUser,
  DeliverableEvent,
  Delivered,
  DeliveryContext,
  PhoneNumber,
} from '../types';

const LONGEST_DELAY_MS = 60_000;

/** The users whose phones the built-in simulator plays, and one who has no phone. */
const USERS: readonly CrmUser[] = [
  { id: '1', name: 'Анна Смирнова', extension: '101' },
  { id: '2', name: 'Борис Кузнецов', extension: '102' },
  { id: '3', name: 'Вера Орлова', extension: '103' },
  { id: '4', name: 'Глеб Попов', extension: '104' },
  { id: '5', name: 'Дарья Лебедева', extension: '105' },
  { id: '6', name: 'Егор Волков', extension: '106' },
  { id: '7', name: 'Жанна Белова' },
];

interface Client {
  readonly phone: string;
  readonly name: string;
  /** `''` = nobody is responsible. */
  readonly ownerId: string;
  readonly company?: { readonly id: string; readonly name: string };
  readonly type?: 'lead' | 'company';
}

const CHAMOMILE = { id: '1', name: 'ООО Ромашка' };

/** +7 495 000-…: no real subscriber's number begins with 0. The first is the client of the UserCRM document. */
const CLIENTS: readonly Client[] = [
  { phone: '+74951343060', name: 'Петров АА', ownerId: '1', company: CHAMOMILE },
  { phone: '+74950000001', name: 'Ирина Соколова', ownerId: '1' },
  { phone: '+74950000002', name: 'Олег Морозов', ownerId: '2', company: CHAMOMILE },
  { phone: '+74950000003', name: 'Марина Зайцева', ownerId: '3' },
  { phone: '+74950000004', name: 'Павел Виноградов', ownerId: '4' },
  { phone: '+74950000005', name: 'Светлана Павлова', ownerId: '5', company: { id: '20', name: 'АО Василёк' } },
  { phone: '+74950000006', name: 'Никита Голубев', ownerId: '6' },
  // Every character that some format on the way to the phone could stumble over.
  { phone: '+74950000007', name: 'Рога, Копыта & Ко = "Салют"', ownerId: '1', type: 'company' },
  { phone: '+74950000008', name: 'Тамара Никто', ownerId: '' },
  { phone: '+74950000009', name: 'Ульяна Беглова', ownerId: '7' },
  { phone: '+74950000010', name: 'Фёдор Новиков', ownerId: '5', type: 'lead' },
  { phone: '+375172000101', name: 'Христина Коваль', ownerId: '1' },
  { phone: '+442079460101', name: 'Arthur Dent', ownerId: '5' },
];

const url = (type: string, id: string): string => `https://crm.example/${type}/${id}`;

function answerFor(client: Client, index: number): CrmAnswer {
  const owner = USERS.find((user) => user.id === client.ownerId);
  const ownerId = owner === undefined ? {} : { ownerId: owner.id };
  const type = client.type ?? 'contact';
  const id = String(index + 2);
  const { company } = client;
  const entities: CrmEntity[] = [{ type, id, name: client.name, ...ownerId, url: url(type, id) }];
  if (company) entities.push({ type: 'company', ...company, ...ownerId, url: url('company', company.id) });
  return { found: true, name: client.name, entities, ...(owner === undefined ? {} : { owner }) };
}

const ANSWERS = new Map(CLIENTS.map((client, index) => [client.phone, answerFor(client, index)]));

/** Clients that the demo remembers to have made; the oldest go first. */
const MAX_MADE = 1000;

/** Events that the demo remembers to have taken, so that it can tell a second delivery; the oldest go first. */
const MAX_TAKEN = 1000;

class Demo implements CrmAdapter {
  private readonly taken = new Set<string>();
  private readonly made = new Map<string, CrmAnswer>();
  private nextId = 1001;

  constructor(
    private readonly mode: 'normal' | 'down' | 'silent',
    private readonly delayMs: number,
  ) {}

  async test(context: CallContext): Promise<Text> {
    await this.behave(context);
    const [clients, users] = [CLIENTS.length, USERS.length];
    return { en: `${clients} clients, ${users} users`, ru: `клиентов: ${clients}, пользователей: ${users}` };
  }

  async listUsers(context: CallContext): Promise<CrmUser[]> {
    await this.behave(context);
    return [...USERS];
  }

  async findByPhone(phone: PhoneNumber, context: CallContext): Promise<CrmAnswer> {
    await this.behave(context);
    if (phone.kind !== 'phone') return { found: false };
    return ANSWERS.get(phone.e164) ?? this.made.get(phone.e164) ?? { found: false };
  }

  async createClient(phone: PhoneNumber, wish: ClientWish, context: CallContext): Promise<CrmEntity> {
    await this.behave(context);
    const number = wholeNumber(phone);
    const [id, name] = [String(this.nextId++), wish.name ?? number];
    const owner = USERS.find((user) => user.id === wish.ownerId);
    const ownerId = owner === undefined ? {} : { ownerId: owner.id };
    const entity: CrmEntity = { type: wish.type, id, name, ...ownerId, url: url(wish.type, id) };
    this.made.set(number, { found: true, name, entities: [entity], ...(owner === undefined ? {} : { owner }) });
    for (const oldest of this.made.keys()) {
      if (this.made.size <= MAX_MADE) break;
      this.made.delete(oldest);
    }
    return entity;
  }

  async deliver({ payload }: DeliverableEvent, context: DeliveryContext): Promise<Delivered> {
    await this.behave(context);
    const again = this.taken.has(payload.eventId);
    this.taken.add(payload.eventId);
    for (const oldest of this.taken) {
      if (this.taken.size <= MAX_TAKEN) break;
      this.taken.delete(oldest);
    }
    return { status: 'delivered', answer: { taken: payload.eventId, again } };
  }

  /** Takes as long as it was told to, and fails as it was told to. */
  private async behave({ signal }: CallContext): Promise<void> {
    if (this.mode === 'silent') await untilOver(signal, undefined);
    else if (this.delayMs > 0) await untilOver(signal, this.delayMs);
    if (this.mode === 'down') throw unreachableError('played', {});
  }
}

/** Resolves after `ms` (never, without it) and rejects as soon as nobody waits any more. */
function untilOver(signal: AbortSignal, ms: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      timer?.cancel();
      reject(signal.reason as Error);
    };
    const done = () => {
      signal.removeEventListener('abort', stop);
      resolve();
    };
    const timer = ms === undefined ? undefined : systemClock.after(ms, done);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** A CRM inside the pack, to try flows out with: no address, no key, no network. */
export const demo: CrmKind = {
  id: 'demo',
  title: { en: 'Demo CRM (built in)', ru: 'Демонстрационная CRM (встроенная)' },
  fields: [
    {
      name: 'mode',
      type: 'choice',
      label: { en: 'Behaviour', ru: 'Поведение' },
      help: {
        en: 'Try what your flow does when the CRM fails.',
        ru: 'Проверьте, что делает ваш поток, когда CRM не работает.',
      },
      default: 'normal',
      choices: [
        { value: 'normal', label: { en: 'Works', ru: 'Работает' } },
        { value: 'down', label: { en: 'Refuses connections', ru: 'Не принимает соединения' } },
        { value: 'silent', label: { en: 'Never answers', ru: 'Не отвечает никогда' } },
      ],
    },
    {
      name: 'delayMs',
      type: 'text',
      label: { en: 'Delay, ms', ru: 'Задержка, мс' },
      default: '0',
      placeholder: '0',
    },
  ],
  topics: DELIVERABLE_TOPICS.map((topic) => ({ topic, byDefault: topic === 'call_record' })),
  creates: ['lead', 'contact'],
  // Nothing is sent: the limits bound nothing.
  limits: { perSecond: 1000, burst: 1000 },
  create(settings, secrets) {
    const read = new SettingsReader(settings, secrets);
    const mode = read.choice('mode', ['normal', 'down', 'silent'], 'normal');
    return new Demo(mode, read.count('delayMs', LONGEST_DELAY_MS));
  },
};
