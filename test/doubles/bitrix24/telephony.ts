import { createHash } from 'node:crypto';
import type { CrmTables, Entity, EntityType } from './crm';
import { core, isMap, listOf, Refusal, text, type Params } from './wire';

/** A call that was registered and not yet finished. */
interface OpenCall {
  readonly id: string;
  readonly userId: string;
  readonly number: string;
  readonly type: number;
  readonly line: string;
  readonly externalId: string;
  /** `CALL_START_DATE` when it was given: the portal takes it for the date of registration. */
  readonly startedAt: number;
  readonly entity: Entity | undefined;
  readonly created: Entity | undefined;
}

/** A row of the statistics: a call that the portal counts. */
export interface FinishedCall {
  readonly rowId: number;
  readonly call: OpenCall;
  readonly userId: string;
  readonly duration: number;
  readonly status: string;
  readonly reason: string;
  readonly activityId: number | undefined;
  readonly addToChat: boolean;
  record?: { readonly name: string; readonly bytes?: Buffer; readonly url?: string };
}

const DEDUPLICATED_MS = 30 * 60_000;
const STATUSES = ['200', '304', '603', '603-S', '403', '404', '486', '484', '503', '480', '402', '423', 'OTHER'];

/**
 * Calls of a portal as the telephony module keeps them: registered calls stand in one table until they are finished, finished ones in
 * the statistics. What is told of their handling was read from the module's public sources.
 */
export class Telephony {
  readonly open = new Map<string, OpenCall>();
  readonly finished: FinishedCall[] = [];
  readonly lines = new Set<string>();
  /** Every registration that made a new call. */
  registrations = 0;
  /** Every word to the browsers of users, in order: `show 99 externalCall…`. */
  readonly cards: string[] = [];
  /** Who sees the card of which call now. */
  readonly visible = new Map<string, Set<string>>();
  /** How the address of `RECORD_URL` answers. */
  recordUrlStatus = 200;
  /** What a portal of local users says when it should make a lead. */
  leadCreationError: string | undefined;

  constructor(
    private readonly crm: CrmTables,
    private readonly now: () => number,
  ) {}

  register(params: Params): unknown {
    const userId = this.userIn(params);
    const type = Number(params.TYPE);
    if (![1, 2, 3, 4, 5].includes(type)) throw core('Unknown TYPE');
    const date = text(params.CALL_START_DATE);
    if (date !== '' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/.test(date)) {
      throw core('CALL_START_DATE should be in the ISO-8601 format');
    }
    const number = text(params.PHONE_NUMBER).replace(/[^0-9+]/g, '');
    if (number === '') throw core('Unsupported phone number format');
    const line = text(params.LINE_NUMBER);
    if (line !== '') this.lines.add(line);
    const externalId = text(params.EXTERNAL_CALL_ID);
    const same = [...this.open.values()].find(
      (call) =>
        call.userId === userId &&
        call.number === number &&
        call.type === type &&
        (line === '' || call.line === line) &&
        (externalId === '' || call.externalId === externalId) &&
        call.startedAt > this.now() - DEDUPLICATED_MS,
    );
    const call = same ?? this.create({ userId, number, type, line, externalId, date }, params);
    if (flag(params.SHOW, true)) this.showTo(call, [call.userId]);
    return {
      CALL_ID: call.id,
      CRM_CREATED_LEAD: call.created?.id ?? null,
      CRM_CREATED_ENTITIES: call.created === undefined ? [] : [{ ENTITY_TYPE: 'LEAD', ENTITY_ID: call.created.id }],
      CRM_ENTITY_TYPE: call.entity?.type ?? '',
      CRM_ENTITY_ID: call.entity?.id ?? null,
      ...(this.leadCreationError === undefined ? {} : { LEAD_CREATION_ERROR: this.leadCreationError }),
    };
  }

  finish(params: Params): unknown {
    if (typeof params.CALL_ID !== 'string') throw new Refusal(400, 'INVALID_ARGUMENT', 'CALL_ID must be a string');
    const userId = this.userIn(params);
    const call = this.open.get(params.CALL_ID);
    if (call === undefined) throw core('Call is not found (call should be registered prior to finishing');
    this.hideFrom(call, [userId]);
    const duration = Number(params.DURATION ?? 0);
    const status = text(params.STATUS_CODE) || (duration > 0 ? '200' : '304');
    if (!STATUSES.includes(status)) throw new Error(`no STATUS_CODE of Bitrix24: ${status}`);
    const activityId =
      call.entity === undefined
        ? undefined
        : this.crm.storeActivity({ SUBJECT: `Звонок ${call.number}`, ORIGIN_ID: `VI_${call.id}` });
    if (call.created) call.created.fields = { ...call.created.fields, ASSIGNED_BY_ID: userId };
    const rowId = this.finished.length + 1;
    const reason = text(params.FAILED_REASON);
    const addToChat = flag(params.ADD_TO_CHAT, true);
    this.finished.push({ rowId, call, userId, duration, status, reason, activityId, addToChat });
    this.open.delete(call.id);
    return {
      CALL_ID: call.id,
      EXTERNAL_CALL_ID: call.externalId || null,
      PORTAL_USER_ID: Number(userId),
      PHONE_NUMBER: call.number,
      PORTAL_NUMBER: call.line,
      INCOMING: String(call.type),
      CALL_DURATION: duration,
      CALL_START_DATE: {},
      CALL_STATUS: duration > 0 ? 1 : 0,
      CALL_FAILED_CODE: status,
      CALL_FAILED_REASON: reason,
      CRM_ACTIVITY_ID: activityId ?? null,
      COMMENT: null,
      ...(call.entity === undefined ? {} : { CRM_ENTITY_TYPE: call.entity.type, CRM_ENTITY_ID: call.entity.id }),
      ID: rowId,
    };
  }

  show(params: Params): boolean {
    const call = this.open.get(text(params.CALL_ID));
    if (call) this.showTo(call, usersIn(params, call));
    return call !== undefined;
  }

  hide(params: Params): boolean {
    const call = this.open.get(text(params.CALL_ID));
    if (call) this.hideFrom(call, usersIn(params, call));
    return call !== undefined;
  }

  /** `uploadUrl`: makes the address for a file that comes by itself. */
  attach(params: Params, uploadUrl: (callId: string) => string): unknown {
    const name = text(params.FILENAME);
    const url = text(params.RECORD_URL);
    if (url === '' && params.FILENAME === undefined) {
      throw core('Required parameters are not set. Request should contain or URL or FILENAME parameter');
    }
    const row = this.rowOf(text(params.CALL_ID));
    if (url !== '') {
      if (this.recordUrlStatus !== 200) throw core(`Server returns HTTP error code ${this.recordUrlStatus}`);
      return this.keep(row, { name: checkedName(name || (new URL(url).pathname.split('/').pop() ?? '')), url });
    }
    if (params.FILE_CONTENT === undefined) return { uploadUrl: uploadUrl(row.call.id), fieldName: 'file' };
    const content = text(params.FILE_CONTENT);
    const checked = checkedName(name);
    if (content === '') throw core('File content is empty.');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(content)) {
      throw core('File content is not properly encoded. Base64 encoding is expected.');
    }
    return this.keep(row, { name: checked, bytes: Buffer.from(content, 'base64') });
  }

  upload(callId: string, file: { name: string; bytes: Buffer } | undefined): unknown {
    if (file === undefined) throw core('Error: required parameter file is not found');
    const name = checkedName(file.name);
    return this.keep(this.rowOf(callId), { name, bytes: file.bytes });
  }

  search(params: Params): unknown {
    const number = text(params.PHONE_NUMBER);
    if (number === '') throw core('PHONE_NUMBER is empty');
    return this.crm.byNumber(number).map((entity) => {
      const ownerId = text(entity.fields.ASSIGNED_BY_ID);
      const owner = this.crm.users.find((user) => user.ID === ownerId);
      return {
        CRM_ENTITY_TYPE: entity.type,
        CRM_ENTITY_ID: entity.id,
        ASSIGNED_BY_ID: Number(ownerId),
        NAME: this.crm.nameOf(entity),
        ASSIGNED_BY: {
          ID: owner?.ID ?? null,
          TIMEMAN_STATUS: 'OPENED',
          USER_PHONE_INNER: owner?.UF_PHONE_INNER ?? null,
          WORK_PHONE: null,
          PERSONAL_PHONE: null,
          PERSONAL_MOBILE: null,
        },
      };
    });
  }

  addLine(params: Params): unknown {
    const number = text(params.NUMBER).trim();
    if (number === '') throw core('NUMBER should not be empty');
    if (this.lines.has(number)) throw core('Line already exists');
    this.lines.add(number);
    return { ID: this.lines.size };
  }

  private create(
    about: Pick<OpenCall, 'userId' | 'number' | 'type' | 'line' | 'externalId'> & { readonly date: string },
    params: Params,
  ): OpenCall {
    this.registrations += 1;
    const { date, ...fields } = about;
    const random = createHash('md5').update(`${this.registrations} ${about.number}`).digest('hex');
    const isColleague = this.crm.userByInner(about.number) !== undefined;
    const given = this.givenEntity(params);
    const known = isColleague ? undefined : (given ?? this.crm.byNumber(about.number)[0]);
    const creates = flag(params.CRM_CREATE, false) && !isColleague && this.leadCreationError === undefined;
    const created =
      known === undefined && creates
        ? this.crm.add('LEAD', { TITLE: `${about.number} - Входящий звонок`, PHONE: [{ VALUE: about.number }] })
        : undefined;
    const call = {
      ...fields,
      id: `externalCall.${random}.${Math.floor(this.now() / 1000)}`,
      startedAt: date === '' ? this.now() : Date.parse(date),
      entity: known ?? created,
      created,
    };
    this.open.set(call.id, call);
    return call;
  }

  private givenEntity(params: Params): Entity | undefined {
    const type = text(params.CRM_ENTITY_TYPE) as EntityType;
    return this.crm.entities.find((one) => one.type === type && one.id === Number(params.CRM_ENTITY_ID));
  }

  private userIn(params: Params): string {
    const [id, inner] = [text(params.USER_ID), text(params.USER_PHONE_INNER)];
    if (id === '' && inner === '') throw core('USER_ID or USER_PHONE_INNER should be set');
    const user = id === '' ? this.crm.userByInner(inner) : this.crm.activeUser(id);
    if (user === undefined) throw core('User is not found or is not active');
    return user.ID;
  }

  private rowOf(callId: string): FinishedCall {
    const row = this.finished.find(({ call }) => call.id === callId);
    if (row === undefined) {
      throw core('Call is not found in the statistic table. Looks like it is not finished yet.');
    }
    return row;
  }

  private keep(row: FinishedCall, record: NonNullable<FinishedCall['record']>): unknown {
    row.record = record;
    return { FILE_ID: 9000 + row.rowId };
  }

  private showTo(call: OpenCall, users: readonly string[]): void {
    const seen = this.visible.get(call.id) ?? new Set<string>();
    this.visible.set(call.id, seen);
    for (const user of users) {
      this.cards.push(`show ${user}`);
      seen.add(user);
    }
  }

  private hideFrom(call: OpenCall, users: readonly string[]): void {
    for (const user of users) {
      if (this.visible.get(call.id)?.delete(user)) this.cards.push(`hide ${user}`);
    }
  }
}

function usersIn(params: Params, call: OpenCall): string[] {
  const users = isMap(params.USER_ID) ? Object.values(params.USER_ID) : listOf(params.USER_ID);
  return users.length === 0 ? [call.userId] : users.map(text);
}

function checkedName(name: string): string {
  if (name === '') throw core('File name is empty');
  if (!/\.(wav|mp3)$/.test(name)) throw core('Wrong file extension. Only wav and mp3 are allowed');
  return name;
}

/** PHP's truth of `1`, `"1"`, `true`. */
const flag = (value: unknown, otherwise: boolean): boolean =>
  value === undefined ? otherwise : ![0, '0', false, '', null].includes(value as number);
