/**
 * The doubles of the CRMs with their real limits. Each: the kind of account, what is entered in its dialog, the limit, how many
 * requests one record needs, and one word for each call that it counted.
 */
import { require as requireTs } from 'tsx/cjs/api';

const EXTENSIONS = ['101', '102', '103'];
export const USERS = EXTENSIONS.map((extension, index) => ({ extension, userId: String(50 + index) }));

async function bitrix24({ clock }) {
  const { BitrixDouble } = requireTs('../../test/doubles/bitrix24.ts', import.meta.url);
  const portal = await new BitrixDouble({ now: () => clock.now() }).start();
  for (const { extension, userId } of USERS) portal.crm.addUser({ ID: userId, UF_PHONE_INNER: extension });
  return {
    kind: 'bitrix24',
    server: portal.server,
    settings: {},
    secrets: { token: portal.webhook },
    limit: { perSecond: portal.bucket.perSecond, burst: portal.bucket.size },
    /** Registered, finished. */
    requestsPerRecord: 2,
    refused: () => portal.refused,
    counted: () => portal.telephony.finished.map(({ call }) => call.externalId),
    stop: () => portal.stop(),
  };
}

async function amocrm({ clock, numbers }) {
  const { AmoDouble } = requireTs('../../test/doubles/amocrm.ts', import.meta.url);
  const account = await new AmoDouble(() => clock.monotonic()).start();
  // A known client takes one request: the floor knows no other.
  for (const number of numbers) account.addClient('contacts', number, number);
  return {
    kind: 'amocrm',
    server: account.server,
    settings: { url: account.origin },
    secrets: { token: account.token },
    limit: { perSecond: account.perSecond, burst: account.perSecond },
    /** The call. */
    requestsPerRecord: 1,
    refused: () => account.refused,
    counted: () => account.notes.map(({ params }) => params.uniq),
    stop: () => account.stop(),
  };
}

export const portals = {
  bitrix24: { title: 'Bitrix24', open: bitrix24 },
  amocrm: { title: 'amoCRM', open: amocrm },
};
