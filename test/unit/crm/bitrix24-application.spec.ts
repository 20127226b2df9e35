import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock';
import { createCrmAccount, type CrmAccount } from '../../../lib/crm/account';
import { bitrix24 } from '../../../lib/crm/kinds/bitrix24';
import type { Keep, PhoneNumber } from '../../../lib/crm/types';
import { TelephonyError } from '../../../lib/errors';
import { silentLog } from '../../../lib/log';
import { BitrixDouble } from '../../doubles/bitrix24';
import { htmlPage, type DoubleRequest } from '../../doubles/support';
import { until } from '../../support/wait';

const number = (digits: string): PhoneNumber => ({
  kind: 'phone',
  e164: `+7${digits}`,
  national: digits,
  country: 'RU',
});
const isToken = { when: ({ path }: DoubleRequest) => path === '/oauth/token/' };

/** A disk that a test can look into and break. */
class Disk implements Keep {
  readonly files = new Map<string, string>();
  readonly warned: TelephonyError[] = [];
  fault: Error | undefined;

  warn(problem: TelephonyError): void {
    this.warned.push(problem);
  }

  async read(name: string): Promise<string | undefined> {
    await Promise.resolve();
    if (this.fault) throw this.fault;
    return this.files.get(name);
  }

  async write(name: string, text: string): Promise<void> {
    await Promise.resolve();
    if (this.fault) throw this.fault;
    this.files.set(name, text);
  }
}

describe('Bitrix24 as a local application', () => {
  let portal: BitrixDouble;
  let disk: Disk;
  let opened: CrmAccount[];
  let account: CrmAccount;

  const open = (keep: Keep = disk, more: Record<string, unknown> = {}, secret = portal.oauth.clientSecret) => {
    const settings = { signIn: 'application', url: `${portal.server.origin}/`, server: portal.server.origin, ...more };
    const secrets = { user: portal.oauth.clientId, password: secret };
    const made = createCrmAccount({ kind: bitrix24, settings, secrets }, { clock: systemClock, log: silentLog, keep });
    opened.push(made);
    return made;
  };
  /** The same files, as the next process finds them. */
  const afterRestart = (): Disk => {
    const next = new Disk();
    for (const [name, text] of disk.files) next.files.set(name, text);
    return next;
  };
  const pasted = (code: string): string => {
    portal.oauth.codes.add(code);
    return `https://localhost/?code=${code}&state=&domain=company.bitrix24.ru&member_id=a2&scope=crm%2Ctelephony`;
  };
  const signIn = async (on = account, code = 'code-0123456789'): Promise<void> => on.signIn?.finish(pasted(code));
  const failure = async (work: Promise<unknown>): Promise<TelephonyError> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TelephonyError, 'it fails with an error that people can read');
    const told = JSON.stringify([error, error.message, error.textIn('ru'), error.params]);
    assert.doesNotMatch(told, /access-\d|refresh-\d|s3cr3t|code-\d/, 'no secret is told');
    return error;
  };
  const lookups = (count: number, on = account) =>
    Array.from({ length: count }, (_, at) => on.lookup(number(String(9160000000 + at)), 5000));

  beforeEach(async () => {
    portal = await new BitrixDouble().start();
    portal.bucket = { size: 1000, perSecond: 1000 };
    portal.applicationsOnly = true;
    portal.crm.addUser({ ID: '99', NAME: 'Рита', LAST_NAME: 'Иванова', UF_PHONE_INNER: '101' });
    disk = new Disk();
    opened = [];
    account = open();
  });

  afterEach(async () => {
    for (const one of opened) await one.close();
    await portal.stop();
  });

  it('sends the administrator to his portal, and takes the address that he comes back with', async () => {
    assert.equal(account.signIn?.page, `${portal.server.origin}/oauth/authorize/?client_id=local.app`);
    assert.equal((await failure(account.test())).code, 'CRM_SIGNED_OUT');
    assert.equal(portal.server.requests.length, 0, 'nothing is asked without a sign-in');
    await signIn();
    assert.equal(account.state.status, 'ok');
    assert.equal((await account.test())?.en, 'users: 2', 'an application may register calls');
    portal.oauth.codes.add('bare-code-123');
    await account.signIn.finish(' bare-code-123 ');
  });

  it('says what is wrong with what was pasted, and stays signed in', async () => {
    await signIn();
    for (const wrong of ['', 'https://localhost/?error=denied', 'a b c d e f g h']) {
      const error = await failure(account.signIn!.finish(wrong));
      assert.match(error.message, /"Address after signing in": paste the whole address/);
    }
    const old = await failure(account.signIn!.finish('https://localhost/?code=code-that-is-old'));
    assert.match(old.message, /30 seconds/);
    await account.test();
  });

  it('survives a restart, encrypted by what stands in the credentials', async () => {
    await signIn();
    const [[name = '', text = ''] = []] = disk.files;
    assert.match(name, /^bitrix24-[0-9a-f]{32}$/);
    assert.doesNotMatch(Buffer.from(text, 'base64').toString('latin1') + text, /access|refresh/);
    await open(afterRestart()).test();
    assert.equal((await failure(open(afterRestart(), {}, 'another secret').test())).code, 'CRM_SIGNED_OUT');
    const damaged = afterRestart();
    damaged.files.set(name, `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`);
    assert.equal((await failure(open(damaged).test())).code, 'CRM_SIGNED_OUT');
  });

  it('renews what expired with one request for all, and keeps it before a restart', async () => {
    await signIn();
    portal.expire();
    await Promise.all(lookups(8));
    assert.equal(portal.tokenRequests, 2);
    await open(afterRestart()).test();
    assert.equal(portal.tokenRequests, 2, 'the next process has the new tokens');
    portal.expire();
    await account.test();
    portal.expire();
    await account.test();
    assert.equal(portal.tokenRequests, 4, 'each refresh token is used once');
  });

  it('shares the tokens among all accounts of a process: a dialog signs in the node that is deployed', async () => {
    const dialog = open();
    await signIn(dialog);
    await dialog.close();
    await account.test();
    portal.expire();
    const other = open();
    await Promise.all([...lookups(3), ...lookups(3, other)]);
    assert.equal(portal.tokenRequests, 2);
  });

  it('goes on with the renewal when the one who needed it has gone', async () => {
    await signIn();
    portal.expire();
    const held: (() => void)[] = [];
    portal.server.send = (answer) =>
      portal.server.requests.at(-1)?.path === '/oauth/token/' ? void held.push(answer) : answer();
    const kept = [...disk.files.values()][0];
    const asked = failure(account.lookup(number('9161234567'), 5000));
    await until(() => held.length === 1, 'the renewal has begun');
    await account.close();
    assert.equal((await asked).code, 'CRM_CLOSED');
    held[0]?.();
    await until(() => [...disk.files.values()][0] !== kept, 'the new tokens are on disk');
    await open().test();
    assert.equal(portal.tokenRequests, 2);
  });

  it('tries again after an answer that was lost before the server did anything', async () => {
    await signIn();
    portal.expire();
    for (const fault of ['reset', htmlPage, { status: 500, body: { error: 'x' } }] as const) {
      portal.server.fail(fault, { ...isToken, times: 2 });
      const error = await failure(account.lookup(number('9160000001'), 5000));
      assert.ok(['CRM_UNREACHABLE', 'CRM_SERVER_ERROR'].includes(error.code), error.code);
      portal.server.heal();
    }
    await account.test();
  });

  it('asks for a person when the tokens are gone for good, and asks the server no more', async () => {
    await signIn();
    portal.expire();
    portal.server.fail('lost', isToken);
    // The repetition shows the token of before, which the server has replaced.
    const error = await failure(account.lookup(number('9160000001'), 5000));
    assert.equal(error.code, 'CRM_SIGNED_OUT');
    assert.match(error.textIn('ru'), /войдите заново/);
    const asked = portal.server.requests.length;
    await Promise.all(lookups(4).map(failure));
    assert.equal(portal.server.requests.length, asked);
    assert.equal(account.state.status, 'failing');
    await signIn();
    await account.test();
  });

  it('renews once for a request, however often the portal calls the token expired', async () => {
    await signIn();
    const expired = { status: 401, body: { error: 'expired_token', error_description: 'access-3 has expired' } };
    portal.fail('scope', expired, 50);
    assert.equal((await failure(account.test())).code, 'CRM_UNAUTHORIZED');
    assert.equal(portal.tokenRequests, 2);
    portal.server.heal();
  });

  it('takes a wrong client_secret for a key that is refused, not for one event that is', async () => {
    const wrong = open(new Disk(), {}, 'wrong-secret-of-app');
    const error = await failure(signIn(wrong));
    assert.equal(error.code, 'CRM_UNAUTHORIZED');
    assert.match(error.message, /invalid_client/);
  });

  it('works on while the disk is full, and keeps the tokens as soon as it can', async () => {
    await signIn();
    portal.expire();
    const [[name = '', kept = ''] = []] = disk.files;
    disk.fault = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    await account.test();
    assert.match(disk.warned[0]?.message ?? '', /ENOSPC/);
    disk.fault = undefined;
    await account.test();
    await until(() => disk.files.get(name) !== kept, 'the tokens are kept');
    await open(afterRestart()).test();
    disk.fault = Object.assign(new Error('no'), { code: 'EACCES' });
    assert.equal((await failure(signIn())).code, 'CRM_SIGN_IN_UNKEPT');
    const unreadable = new Disk();
    unreadable.fault = disk.fault;
    const other = open(unreadable);
    assert.equal((await failure(other.test())).code, 'CRM_SIGN_IN_UNREADABLE');
    unreadable.fault = undefined;
    assert.equal((await failure(other.test())).code, 'CRM_SIGNED_OUT');
  });

  it('refuses settings that cannot work', () => {
    assert.throws(() => open(disk, { url: '' }), { code: 'CRM_BAD_SETTINGS' });
    assert.throws(() => open(disk, { server: 'oauth.bitrix.info' }), /"Sign-in server"/);
    assert.throws(() => open(disk, {}, ''), /"client_secret"/);
    assert.throws(() => open(disk, { signIn: 'letter' }), /"Access"/);
  });
});
