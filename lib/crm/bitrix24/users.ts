import { badAnswer } from '../errors';
import { optional, scalar, type JsonObject } from '../json';
import type { CallContext, CrmUser } from '../types';
import { rowsIn, type BitrixApi, type Command } from './api';

const PAGE = 50;
/** Pages of one batch, and how many batches there may be: 5050 users. */
const PAGES_AT_ONCE = 50;
const MAX_BATCHES = 2;

/** All employees of the portal: the first page, and the others fifty at a time. */
export async function bitrixUsers(api: BitrixApi, context: CallContext): Promise<CrmUser[]> {
  const first = await api.ask('user.get', { FILTER: { ACTIVE: true } }, context);
  const rows = rowsIn(first.result);
  for (let batch = 0, start = PAGE; batch < MAX_BATCHES && start < first.total; batch += 1) {
    const commands = new Map<string, Command>();
    for (; commands.size < PAGES_AT_ONCE && start < first.total; start += PAGE) {
      commands.set(`p${start}`, ['user.get', `FILTER[ACTIVE]=true&start=${start}`]);
    }
    const pages = await api.batch(commands, context);
    if (pages.size < commands.size) {
      throw badAnswer({ en: 'pages of the list of users are missing.', ru: 'нет части страниц списка пользователей.' });
    }
    for (const page of pages.values()) rows.push(...rowsIn(page));
  }
  return rows.map(userOf).filter((user) => user !== undefined);
}

/** The extension is absent when the right of the webhook is `user_basic` only. Bots and guests answer no calls. */
function userOf(row: JsonObject): CrmUser | undefined {
  const id = scalar(row.ID);
  const isEmployee = row.USER_TYPE === undefined || row.USER_TYPE === 'employee';
  if (id === undefined || !isEmployee || row.ACTIVE === false) return undefined;
  const name = [row.NAME, row.LAST_NAME]
    .map(scalar)
    .filter((part) => part !== undefined)
    .join(' ');
  return { id, name: name || (scalar(row.EMAIL) ?? id), ...optional('extension', scalar(row.UF_PHONE_INNER)) };
}
