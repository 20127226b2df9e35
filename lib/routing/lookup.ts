import type { Clock } from '../clock';
import type { AccountLookup, CrmAccount } from '../crm/account';
import type { ClientWish, CrmAnswer, PhoneNumber } from '../crm/types';
import { asError, TelephonyError } from '../errors';
import { isDialable, parseNumber } from '../phone';
import type { PhoneRegion } from '../phone/region';
import type { NumberingPlan, ParsedNumber } from '../phone/types';
import type { Presence, UnfitReason } from '../presence/types';
import { routingError } from './errors';
import type { Contact, LookupOutcome, LookupResult } from './types';

/** What to do with a number that the CRM does not know. */
export interface CreateOptions {
  readonly account: Pick<CrmAccount, 'create'>;
  readonly type: ClientWish['type'];
  /** CRM user who becomes responsible: the id, or the extension by which the table knows that user; absent = nobody. */
  readonly owner?: string;
  /** What the new client is called; absent = the number. */
  readonly name?: (phone: PhoneNumber) => string;
}

export interface LookupOptions {
  readonly account: Pick<CrmAccount, 'lookup' | 'extensionOf' | 'userOf'>;
  readonly plan: NumberingPlan;
  readonly clock: Clock;
  /** Absent: phones are not checked, the responsible person always counts as fit. */
  readonly presence?: Presence;
  /** How long a question may take at most, in ms (default 2000). */
  readonly deadlineMs?: number;
  /** A phone that is already on a call counts as fit (call waiting). Default false. */
  readonly inUseIsFit?: boolean;
  /** Who stands in for whom: CRM user id or extension -> extension, ring group or queue. */
  readonly substitutes?: Readonly<Record<string, string>>;
  /** Who stands in for a known client's responsible person who has no substitute of his own. */
  readonly defaultSubstitute?: string;
  /** Tells where a number is from; absent = not told. */
  readonly regionOf?: (e164: string) => PhoneRegion | undefined;
  /** Makes a client of an unknown phone number; absent = nothing is made. */
  readonly create?: CreateOptions;
}

export interface Lookup {
  /**
   * Who is responsible for this caller, and can he take the call? Never rejects and resolves within the deadline, so that
   * the call can always go on. An extension that calls, being no client, is `not-found` without asking the CRM.
   */
  lookup(phone: string): Promise<LookupResult>;
}

type Found = Extract<CrmAnswer, { found: true }>;
type Reason = UnfitReason | 'no-extension';

/** What is known of a number, whether that was made now, and why nothing could be made. */
type Client = AccountLookup & { readonly created?: boolean; readonly error?: TelephonyError };

/** An account that keeps its own, earlier deadline says better why it is late; more than a busy event loop confuses. */
const ACCOUNT_EARLIER_MS = 50;

/** The responsible person, as far as he is known. */
interface Owner {
  readonly id?: string;
  readonly name?: string;
  readonly extension?: string;
  /** What the CRM or the table gave as his extension and cannot be one. */
  readonly badExtension?: string;
}

class Routing implements Lookup {
  private readonly deadlineMs: number;
  private readonly substitutes: ReadonlyMap<string, string>;
  /** Empty = none. */
  private readonly defaultSubstitute: string;

  constructor(private readonly options: LookupOptions) {
    this.deadlineMs = options.deadlineMs ?? 2000;
    const named = Object.entries(options.substitutes ?? {}).map(([owner, to]) => [owner.trim(), to.trim()] as const);
    this.substitutes = new Map(named.filter(([, to]) => to !== ''));
    this.defaultSubstitute = options.defaultSubstitute?.trim() ?? '';
    for (const extension of [...this.substitutes.values(), this.defaultSubstitute]) {
      if (extension !== '' && !isDialable(extension)) {
        throw routingError('ROUTE_BAD_SUBSTITUTE', { extension: printable(extension) });
      }
    }
  }

  async lookup(phone: string): Promise<LookupResult> {
    const begun = this.options.clock.monotonic();
    const took = () => Math.round(this.options.clock.monotonic() - begun);
    const number = parseNumber(phone, this.options.plan);
    if (number.kind === 'none') return failure('bad-number', numberError(number.reason), {}, took());
    if (number.kind === 'extension') {
      const contact = { found: false, outcome: 'not-found', number: number.extension, entities: [] } as const;
      return { contact: { ...contact, tookMs: took() } };
    }

    const region = number.kind === 'phone' ? this.options.regionOf?.(number.e164) : undefined;
    const asked = {
      number: number.kind === 'phone' ? number.e164 : number.digits,
      ...(region === undefined ? {} : { region }),
    };
    try {
      const { answer, from, created, error: notMade } = await this.clientOf(number, took);
      if (!answer.found) {
        const contact = { found: false, outcome: 'not-found', ...asked, entities: [], from } as const;
        if (notMade === undefined) return { contact: { ...contact, tookMs: took() } };
        return { contact: { ...contact, error: plain(notMade), tookMs: took() }, error: notMade };
      }
      await this.statesKnown(this.deadlineMs - took());
      const owner = this.ownerOf(answer);
      const made = created === true ? { created } : {};
      const contact = { found: true, ...made, ...asked, ...described(answer, owner), ...this.decide(owner), from };
      const problem = owner.badExtension;
      if (problem === undefined) return { contact: { ...contact, tookMs: took() } };
      const error = routingError('ROUTE_BAD_EXTENSION', { extension: printable(problem) });
      return { contact: { ...contact, error: plain(error), tookMs: took() }, error };
    } catch (thrown) {
      const error = asTold(thrown);
      return failure(outcomeOf(error), error, asked, took());
    }
  }

  /** What the CRM says of the number and, when it does not know it and shall, who was made of it. */
  private async clientOf(number: PhoneNumber, took: () => number): Promise<Client> {
    const { account, create } = this.options;
    const said = await this.inTime(this.deadlineMs, (ms) => account.lookup(number, ms));
    // Digits that are no valid number anywhere are nobody's: no client is made of them.
    if (said.answer.found || create === undefined || number.kind !== 'phone') return said;
    const ownerId = this.userIdOf(create.owner ?? '');
    const name = create.name?.(number).trim() ?? '';
    const wish = { type: create.type, name: name || number.e164, ...(ownerId === '' ? {} : { ownerId }) };
    try {
      // At least a moment, so that the creation is begun: it goes on without this caller.
      const leftMs = Math.max(this.deadlineMs - took(), 1);
      const { answer, created } = await this.inTime(leftMs, (ms) => create.account.create(number, wish, ms));
      return { answer, created, from: 'crm' };
    } catch (thrown) {
      return { ...said, error: asTold(thrown) };
    }
  }

  /** An extension stands for the user whom the table gives it to. */
  private userIdOf(owner: string): string {
    const { account } = this.options;
    if (account.extensionOf(owner) !== undefined) return owner;
    return account.userOf(owner)?.userId ?? owner;
  }

  /** Asks the account, and holds the deadline itself: a call must not depend on the account keeping its promise. */
  private inTime<T>(deadlineMs: number, ask: (accountMs: number) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(routingError('ROUTE_TIMEOUT', { ms: deadlineMs }));
      const timer = this.options.clock.after(deadlineMs, late);
      // Wrapped, so that an account that throws instead of rejecting is heard here too.
      const answer = (async () => ask(deadlineMs - Math.min(ACCOUNT_EARLIER_MS, deadlineMs / 20)))();
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** Shortly after a login the states of the phones are still on their way: waits for them, `withinMs` at most. */
  private async statesKnown(withinMs: number): Promise<void> {
    const settled = this.options.presence?.settled?.();
    if (settled === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = this.options.clock.after(withinMs, resolve);
      const over = (): void => {
        timer.cancel();
        resolve();
      };
      settled.then(over, over);
    });
  }

  /**
   * Who the owner is and which extension is his. The admin's table wins over what the CRM says; an id that may itself be
   * an extension (UserCRM) is one when it is in the table or the numbering plan says so.
   */
  private ownerOf({ owner }: Found): Owner {
    if (owner === undefined) return {};
    const { account, plan } = this.options;
    const { id, name } = owner;
    const known = { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
    const mapped = id === undefined ? undefined : account.extensionOf(id);
    if (mapped !== undefined) {
      return isDialable(mapped)
        ? withTableName({ ...known, extension: mapped }, account)
        : { ...known, badExtension: mapped };
    }

    const isId = owner.idMayBeExtension === true && id !== undefined;
    const said = owner.extension ?? (isId && (plan.isExtension(id) || account.userOf(id)) ? id : undefined);
    if (said === undefined || said === '') return known;
    if (!isDialable(said)) return { ...known, badExtension: said };
    // The CRM named an extension: the person behind it stands in the table.
    const user = isId || id === undefined ? account.userOf(said)?.userId : undefined;
    return withTableName({ ...known, ...(user === undefined ? {} : { id: user }), extension: said }, account);
  }

  private decide(owner: Owner): Pick<Contact, 'outcome' | 'extension' | 'available' | 'substitute' | 'reason'> {
    const { presence, inUseIsFit = false } = this.options;
    let reason: Reason = 'no-extension';
    if (owner.extension !== undefined) {
      if (presence === undefined) return { outcome: 'found', extension: owner.extension };
      const availability = presence.availability(owner.extension, inUseIsFit);
      if (availability.available) return { outcome: 'found', extension: owner.extension, available: true };
      reason = availability.reason;
    }
    return this.standIn(owner, reason) ?? { outcome: 'not-available', available: false, reason };
  }

  /** The owner's own substitute when he is fit, else the default one when he is. */
  private standIn(
    owner: Owner,
    reason: Reason,
  ): Pick<Contact, 'outcome' | 'extension' | 'available' | 'substitute'> | undefined {
    const own = [owner.id, owner.extension].map((key) => (key === undefined ? undefined : this.substitutes.get(key)));
    for (const extension of [...own, this.defaultSubstitute]) {
      if (extension === undefined || extension === '' || extension === owner.extension) continue;
      const available = this.fitness(extension);
      if (available === false) continue;
      const substitute = { ...(owner.extension === undefined ? {} : { for: owner.extension }), reason };
      return { outcome: 'found', extension, substitute, ...(available === true ? { available } : {}) };
    }
    return undefined;
  }

  /** A queue or a ring group has no device: what presence has never heard of may stand in, its availability unknown. */
  private fitness(extension: string): boolean | 'unknown' {
    const { presence, inUseIsFit = false } = this.options;
    if (presence === undefined) return 'unknown';
    const availability = presence.availability(extension, inUseIsFit);
    if (availability.available) return true;
    return availability.reason === 'unknown-extension' ? 'unknown' : false;
  }
}

/** Untrusted text in an error: short, and nothing that a terminal would act on. */
const printable = (text: string): string => text.slice(0, 40).replace(/[^\x20-\x7e\p{L}]/gu, '?');

function withTableName(owner: Owner & { extension: string }, account: LookupOptions['account']): Owner {
  const name = owner.name ?? account.userOf(owner.extension)?.name;
  return name === undefined ? owner : { ...owner, name };
}

function described(answer: Found, owner: Owner): Pick<Contact, 'name' | 'entities' | 'owner' | 'variables'> {
  const { id, name } = owner;
  const person = { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
  return {
    ...(answer.name === '' ? {} : { name: answer.name }),
    entities: answer.entities,
    ...(answer.variables === undefined ? {} : { variables: answer.variables }),
    ...(id === undefined && name === undefined ? {} : { owner: person }),
  };
}

function numberError(reason: Extract<ParsedNumber, { kind: 'none' }>['reason']): TelephonyError {
  const withheld = reason === 'empty' || reason === 'anonymous';
  return routingError(withheld ? 'ROUTE_NO_NUMBER' : 'ROUTE_BAD_NUMBER', { reason });
}

function outcomeOf(error: TelephonyError): LookupOutcome {
  if (error.code === 'CRM_TIMEOUT' || error.code === 'ROUTE_TIMEOUT') return 'timeout';
  return error.code === 'CRM_LIMITED' ? 'limited' : 'error';
}

const asTold = (thrown: unknown): TelephonyError =>
  thrown instanceof TelephonyError ? thrown : routingError('ROUTE_FAULT', { name: asError(thrown).name }, thrown);

const plain = (error: TelephonyError) => ({ code: error.code, message: error.message });

function failure(
  outcome: LookupOutcome,
  error: TelephonyError,
  asked: Pick<Contact, 'number' | 'region'>,
  tookMs: number,
): LookupResult {
  return { contact: { found: false, outcome, ...asked, entities: [], error: plain(error), tookMs }, error };
}

/** Joins CRM, table and presence into one answer for the dialplan. Throws `ROUTE_BAD_SUBSTITUTE`. */
export function createLookup(options: LookupOptions): Lookup {
  return new Routing(options);
}
