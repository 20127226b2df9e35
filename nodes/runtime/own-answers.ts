import type { AmiMessage } from '../../lib/ami/types';
import { whoseChannels } from '../../lib/phone/interfaces';
import { currentCall } from '../../lib/control/current-call';
import type { CrmAccount } from '../../lib/crm/account';
import { agentStatuses } from '../../lib/crm/usercrm/statuses';
import { agentStatus } from '../../lib/messages/usercrm-agent';
import type { Pbx } from '../../lib/pbx/pbx';
import { protocolError } from '../../lib/protocols/errors';
import type { CommandAnswer, CommandRequest, Fields } from '../../lib/protocols/types';
import type { FlowAnswer } from '../../lib/questions/answer';
import { textOf } from './settings';

export interface OwnAnswersOptions {
  readonly account: CrmAccount | undefined;
  readonly pbx: Pbx | undefined;
}

/** Every browser with the widget asks every few seconds. */
const CHANNELS_FRESH_MS = 1000;

/** What a `usercrm-in` answers without its flow: from the table of its CRM, and from the channels of its PBX. */
export class OwnAnswers {
  private channels: { readonly at: number; readonly rows: Promise<readonly Fields[]> } | undefined;

  constructor(private readonly options: OwnAnswersOptions) {}

  /** `undefined`: only a flow can answer that. */
  answer({ command, payload }: CommandRequest): Promise<CommandAnswer> | undefined {
    const { account, pbx } = this.options;
    switch (command) {
      case 'get_users':
      case 'get_domain_user_list':
        return account && Promise.resolve({ kind: 'people', people: account.users });
      case 'current_call':
        return pbx && this.callAt(pbx, textOf(payload.ip));
      case 'live_calls':
        return pbx && this.allChannels(pbx).then((channels) => ({ kind: 'channels', channels }));
      default:
        return undefined;
    }
  }

  /**
   * The payload with the extension of the CRM user whom it names, so that the nodes behind need no table. Throws
   * `PROTOCOL_USER_UNKNOWN` when the table has no such user.
   */
  withExtension(payload: Fields): Fields {
    const user = textOf(payload.user);
    const found = this.extensionIn(payload);
    if (this.options.account && user !== '' && found.extension === undefined) {
      throw protocolError('PROTOCOL_USER_UNKNOWN', { user: user.slice(0, 64) });
    }
    return { ...payload, ...found };
  }

  /** The answer with the status, of the table of the CRM, for the state of an agent that it tells. */
  withStatus(answer: FlowAnswer | undefined): FlowAnswer | undefined {
    if (answer?.kind !== 'command' || answer.answer.kind !== 'done') return answer;
    const { done } = answer.answer;
    const { queues, pausedIn, busy, reason } = (done.state ?? {}) as Fields;
    if (!isTexts(queues) || !isTexts(pausedIn)) return answer;
    const standing = { queues, pausedIn, busy: busy === true, ...(typeof reason === 'string' ? { reason } : {}) };
    const status = agentStatus(agentStatuses(this.options.account?.settings ?? {}), standing);
    return { ...answer, answer: { kind: 'done', done: { ...done, status } } };
  }

  /** The extension of the CRM user whom a payload names, when the table has it. */
  extensionIn({ user }: Fields): { readonly extension?: string } {
    const extension = this.options.account?.extensionOf(textOf(user));
    return extension === undefined ? {} : { extension };
  }

  private async callAt(pbx: Pbx, address: string): Promise<CommandAnswer> {
    const [extension, ...others] = await pbx.whoIsAt(address);
    if (extension === undefined) throw protocolError('PROTOCOL_PHONE_NOT_FOUND', { address });
    if (others.length > 0) {
      const extensions = [extension, ...others].slice(0, 5).join(', ');
      throw protocolError('PROTOCOL_PHONE_AMBIGUOUS', { address, extensions });
    }
    const { client, dialling, plan, trunks } = pbx;
    const whose = whoseChannels(dialling.settings.agentChannel, plan, trunks);
    const call = await currentCall(client, whose, extension);
    if (call === undefined) throw protocolError('PROTOCOL_NO_CALL', { extension });
    return { kind: 'call', ...call };
  }

  private allChannels({ client }: Pbx): Promise<readonly Fields[]> {
    const now = performance.now();
    if (this.channels === undefined || now - this.channels.at > CHANNELS_FRESH_MS) {
      const rows = client.list({ action: 'Status' }).then((items) => items.map(lowerCase));
      this.channels = { at: now, rows };
      rows.catch(() => (this.channels = undefined));
    }
    return this.channels.rows;
  }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** As the script of amoCRM gave them: the names of headers in lower case, without what belongs to AMI alone. */
function lowerCase(item: AmiMessage): Fields {
  const own = ['event', 'privilege', 'actionid'];
  const headers = Object.entries(item.toObject()).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(headers.filter(([name]) => !own.includes(name)));
}
