import { Feed } from '../../lib/agents/feed';
import type { CrmAccount } from '../../lib/crm/account';
import { userCrmMessage, written, type EventPlan, type UserCrmEvent } from '../../lib/crm/usercrm/events';
import { agentStatuses } from '../../lib/crm/usercrm/statuses';
import type { NumberingPlan } from '../../lib/phone/types';

/** The messages of UserCRM for the web pages of a CRM: to each page those of one extension. */
export class BareChannel {
  private readonly feed = new Feed();
  private readonly plan: EventPlan;

  /** `account`: whose table says who an agent is; without one `crm_user` is empty. */
  constructor(numbers: NumberingPlan, account: CrmAccount | undefined) {
    this.plan = {
      userOf: (extension) => account?.userOf(extension)?.userId,
      numbers,
      internal: true,
      unmapped: true,
      statuses: agentStatuses(account?.settings ?? {}),
    };
  }

  /** As {@link Feed.listen}; the listener gets messages as JSON. */
  listen(extension: string, listener: (id: string, text: string) => void, lastId: string): () => void {
    return this.feed.listen(extension, ({ id, data }) => listener(id, String(data)), lastId);
  }

  tell(event: UserCrmEvent): void {
    const { extension } = event.payload;
    const told = userCrmMessage(event, this.plan);
    if (extension !== undefined && told) this.feed.tell(extension, 'message', written(told));
  }
}
