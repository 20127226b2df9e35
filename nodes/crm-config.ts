import type { Node, NodeAPI, NodeInitializer } from 'node-red';
import { systemClock } from '../lib/clock';
import { createCrmAccount } from '../lib/crm/account';
import type { CrmAccount } from '../lib/crm/account';
import { badSettings } from '../lib/crm/errors';
import { crmKinds } from '../lib/crm/kinds';
import type { Keep, SecretSlot } from '../lib/crm/types';
import { asError } from '../lib/errors';
import { silentLog } from '../lib/log';
import { adminAction, dialogCredentials, withEnvironment } from './runtime/admin';
import type { AdminQuestion } from './runtime/admin';
import type { CrmConfigNode } from './runtime/config-nodes';
import { accountOptions, secretSlots } from './runtime/crm-settings';
import type { CrmConfigDef } from './runtime/crm-settings';
import { SignInFiles } from './runtime/keep';
import { forPeople } from './runtime/language';
import { onClose } from './runtime/lifecycle';
import { nodeLog } from './runtime/node-log';
import { textOf } from './runtime/settings';
import { tlsMaterial } from './runtime/tls';

type Secrets = Partial<Record<SecretSlot, string>>;

/** The authority of the chosen `tls-config`; nothing else of it is used, since CRMs know their clients by keys. */
const authority = (red: NodeAPI, id: unknown): string | undefined =>
  tlsMaterial(red, id, (problem) => badSettings('tls', problem)).ca;

/** An account made of what stands in the dialog, used once for a button. */
async function withDialogAccount<T>(
  red: NodeAPI,
  keep: Keep,
  { id, body }: AdminQuestion,
  use: (account: CrmAccount) => Promise<T>,
): Promise<T> {
  const settings = withEnvironment(red, id, body.settings ?? {}) as Record<string, unknown>;
  const secrets = dialogCredentials(red, id, body.credentials, secretSlots);
  const options = accountOptions({ kind: String(body.kind), settings }, secrets, authority(red, body.tls));
  const account = createCrmAccount(options, { clock: systemClock, log: silentLog, keep });
  try {
    return await use(account);
  } finally {
    await account.close();
  }
}

/** What is asked of an account whose settings are enough. */
const nothingToSign = () => badSettings('kind', { en: 'nobody signs in to it.', ru: 'вход в неё не нужен.' });

const init: NodeInitializer = (red) => {
  const keep = new SignInFiles(red);

  function CrmConfig(this: Node<Secrets>, def: CrmConfigDef): void {
    red.nodes.createNode(this, def);
    const offered = this as { -readonly [Key in 'account' | 'problem']?: CrmConfigNode[Key] };
    try {
      const options = accountOptions(def, this.credentials, authority(red, def.tls));
      const account = createCrmAccount(options, { clock: systemClock, log: nodeLog(red, this), keep });
      offered.account = account;
      onClose(red, this, () => account.close());
    } catch (thrown) {
      // The node lives on, so that the nodes that use it can say what is wrong.
      offered.problem = asError(thrown);
      this.error(forPeople(red, this.type, offered.problem).message);
    }
  }
  red.nodes.registerType<Node<Secrets>, CrmConfigDef, object, Secrets>('crm-config', CrmConfig, {
    credentials: { user: { type: 'password' }, password: { type: 'password' }, token: { type: 'password' } },
  });

  red.httpAdmin.get('/telephony-crm/crm-kinds', red.auth.needsPermission('crm-config.read'), (_request, response) => {
    const told = crmKinds.map(({ id, title, fields, deliveryFields = [], topics = [], creates = [], signsIn }) => {
      return { id, title, fields, deliveryFields, topics, creates, signsIn };
    });
    response.json(told);
  });
  const button = (what: string, answer: (account: CrmAccount, question: AdminQuestion) => Promise<object>): void =>
    adminAction(red, `/telephony-crm/crm-config/:id/${what}`, 'crm-config.write', (question) =>
      withDialogAccount(red, keep, question, (account) => answer(account, question)),
    );
  button('test', async (account, { body }) => ({ note: (await account.test())?.[body.lang] ?? '' }));
  button('users', async (account) => ({ users: await account.loadUsers() }));
  button('sign-in-page', ({ signIn }) => {
    if (!signIn) throw nothingToSign();
    return Promise.resolve({ url: signIn.page });
  });
  button('sign-in', async ({ signIn }, { body }) => {
    if (!signIn) throw nothingToSign();
    await signIn.finish(textOf(body.pasted));
    return {};
  });
};

export default init;
