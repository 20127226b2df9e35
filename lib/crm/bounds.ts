import { oneLine, optional } from './json';
import type { CrmAnswer, CrmUser } from './types';

const MAX_ENTITIES = 10;
/** Longest name or id, in characters. */
export const MAX_TEXT = 200;
const MAX_URL = 2000;
const MAX_USERS = 5000;

/** A text of the CRM as one line without control characters, so that it may go into a header, a log or a dialplan. */
const clean = (text: string): string => oneLine(text, MAX_TEXT);

/** As {@link clean}; a text of which nothing is left says nothing. */
const cleaned = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : clean(text) || undefined;

/** A cut address leads elsewhere, and one with control characters is none: rather no address. */
const usableUrl = (url: string | undefined): string | undefined =>
  url === undefined || url.length > MAX_URL || /[\p{Cc}\s]/u.test(url) ? undefined : url;

/** The answer with every text cleaned, and everything cut to a size that a phone, a message and the memory can bear. */
export function bounded(answer: CrmAnswer): CrmAnswer {
  if (!answer.found) return answer;
  const entities = answer.entities.slice(0, MAX_ENTITIES).map(({ type, id, name, ownerId, url }) => ({
    type: clean(type),
    id: clean(id),
    ...optional('name', cleaned(name)),
    ...optional('ownerId', cleaned(ownerId)),
    ...optional('url', usableUrl(url)),
  }));
  const { owner } = answer;
  const found = { found: true, name: clean(answer.name), entities } as const;
  if (owner === undefined) return found;
  const { id, name, extension, ...rest } = owner;
  const texts = {
    ...optional('id', cleaned(id)),
    ...optional('name', cleaned(name)),
    ...optional('extension', cleaned(extension)),
  };
  return Object.keys(texts).length === 0 ? found : { ...found, owner: { ...texts, ...rest } };
}

/** The users that a table can hold, with every text cleaned; one whose id is nothing but control characters is none. */
export function boundedUsers(users: readonly CrmUser[]): CrmUser[] {
  return users.slice(0, MAX_USERS).flatMap(({ id, name, extension }) => {
    const realId = cleaned(id);
    return realId === undefined
      ? []
      : [{ id: realId, name: clean(name), ...optional('extension', cleaned(extension)) }];
  });
}
