import assert from 'node:assert/strict';
import { BitrixDouble } from '../../doubles/bitrix24';
import type { DoubleServer } from '../../doubles/support';
import { UserCrmDouble } from '../../doubles/usercrm';
import type { Orders } from './process';

/** A CRM that counts what it is told. */
export interface CountingCrm {
  readonly orders: Orders['crm'];
  readonly server: DoubleServer;
  /** The callIds of all records that it has taken, each as often as it took it. */
  records(): string[];
  /** What else must hold in the end. */
  check(): void;
  stop(): Promise<void>;
}

/** It knows records by the event's id, and takes a second one for the first. */
export async function userCrm(): Promise<CountingCrm> {
  const crm = await new UserCrmDouble().start();
  const told = () => crm.events.filter(({ action }) => action === 'cdr_append');
  return {
    orders: { kind: 'usercrm', settings: { url: crm.url }, token: crm.key, users: [], choices: {} },
    server: crm.server,
    records: () => told().map(({ body }) => String(body.uniqueid)),
    check: () => {
      for (const { body } of told()) assert.match(String(body.src), /^\+7495000\d{4}$/);
    },
    stop: () => crm.stop(),
  };
}

/**
 * A call is registered and finished. What is left of "once" is a registration whose answer was lost and that is repeated more than 30
 * minutes after the call began: it stays without an end. No call waits so long here.
 */
export async function bitrix24(): Promise<CountingCrm> {
  const portal = await new BitrixDouble().start();
  portal.bucket = { size: 1e6, perSecond: 1e6 };
  const extensions = ['101', '103', '105'];
  const users = extensions.map((extension, index) => ({ extension, userId: String(50 + index) }));
  for (const { extension, userId } of users) portal.crm.addUser({ ID: userId, UF_PHONE_INNER: extension });
  const { telephony } = portal;
  return {
    // A call that reached nobody is counted to the administrator.
    orders: { kind: 'bitrix24', settings: {}, token: portal.webhook, users, choices: { fallbackUser: '1' } },
    server: portal.server,
    records: () => telephony.finished.map(({ call }) => call.externalId),
    check: () => {
      assert.equal(telephony.registrations, telephony.finished.length, 'each call is registered once');
      assert.equal(telephony.open.size, 0, 'no registration stays without an end');
      for (const { call } of telephony.finished) assert.match(call.number, /^\+7495000\d{4}$/);
    },
    stop: () => portal.stop(),
  };
}
