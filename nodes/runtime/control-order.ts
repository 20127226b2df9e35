import type { NodeDef } from 'node-red';
import { controlError } from '../../lib/control/errors';
import { parseAgentOrder, parseOrder, parseStatusOrder } from '../../lib/control/order';
import type { AgentOrder, ControlOrder, QueueStatusOrder } from '../../lib/control/types';
import type { CrmAccount } from '../../lib/crm/account';
import type { Pbx } from '../../lib/pbx/pbx';
import { textOf } from './settings';

export interface CallControlDef extends NodeDef {
  readonly pbx?: string;
  /** Its table tells whose extension a CRM user has. */
  readonly crm?: string;
  /** Where in the message the order stands, and where the answer goes. */
  readonly order?: string;
  readonly output?: string;
  /** What a message does not say. */
  readonly action?: string;
  readonly extension?: string;
  readonly to?: string;
  readonly context?: string;
  readonly file?: string;
  readonly queue?: string;
  readonly reason?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** As much of a foreign text as an error repeats. */
const SHOWN = 64;

/**
 * The order of a message over what stands in the dialog, with the extension of the CRM user or of the computer that it names.
 * `answered`: the variables that `crm-webhook-out` gave with an event. Rejects with `CONTROL_BAD_ORDER`, `CONTROL_NO_USER`,
 * `CONTROL_NO_PHONE`, `CONTROL_AMBIGUOUS`, or an error of the link.
 */
export async function orderOf(
  def: CallControlDef,
  payload: unknown,
  pbx: Pick<Pbx, 'whoIsAt'>,
  account: CrmAccount | undefined,
  answered?: unknown,
): Promise<ControlOrder | AgentOrder | QueueStatusOrder> {
  const said: Fields = typeof payload === 'object' && payload !== null ? (payload as Fields) : {};
  const own: Fields = Object.fromEntries(
    (['action', 'to', 'context', 'file', 'queue', 'reason'] as const)
      .map((name) => [name, textOf(def[name])] as const)
      .filter(([, value]) => value !== ''),
  );
  // Variables of an event are those that the call has; the answer to the event holds those that it is to get.
  const toSet = said.action === undefined && answered !== undefined ? { variables: answered } : {};
  const fields = { ...own, ...said, ...toSet };
  const question = parseStatusOrder(fields);
  if (question) return question;
  const extension = textOf(said.extension) || (await extensionOf(said, pbx, account)) || usual(def, said);
  const order = extension === '' ? fields : { ...fields, extension };
  const name = account?.userOf(extension)?.name;
  return parseAgentOrder({ ...(name === undefined ? {} : { name }), ...order }) ?? parseOrder(order);
}

/** The extension of the dialog is meant where a message names no call. */
function usual({ extension }: CallControlDef, { callId, legId }: Fields): string {
  return textOf(callId) || textOf(legId) ? '' : textOf(extension);
}

async function extensionOf(
  { user, ip }: Fields,
  pbx: Pick<Pbx, 'whoIsAt'>,
  account: CrmAccount | undefined,
): Promise<string> {
  const userId = textOf(user);
  if (userId !== '') {
    const extension = account?.extensionOf(userId);
    if (extension === undefined) throw controlError('CONTROL_NO_USER', { user: userId.slice(0, SHOWN) });
    return extension;
  }
  const address = textOf(ip);
  if (address === '') return '';
  const [extension, ...others] = await pbx.whoIsAt(address);
  const shown = address.slice(0, SHOWN);
  if (extension === undefined) throw controlError('CONTROL_NO_PHONE', { address: shown });
  if (others.length > 0) {
    const found = [extension, ...others].slice(0, 5).join(', ');
    throw controlError('CONTROL_AMBIGUOUS', { what: `(${shown})`, found });
  }
  return extension;
}
