import type { AsyncAgi } from '../async-agi';
import type { Conversations } from '../conversations';
import type { Devices } from '../devices';
import type { Dialplan } from '../dialplan';
import type { Originator } from '../originate';
import type { Pbx } from '../pbx';
import type { Queues } from '../queues';
import type { Classes } from './permissions';
import type { Reply } from './reply';
import type { AmiRequest } from './request';

/** What actions act upon. */
export interface Office {
  readonly pbx: Pbx;
  readonly devices: Devices;
  readonly queues: Queues;
  readonly agi: AsyncAgi;
  readonly dialplan: Dialplan;
  readonly conversations: Conversations;
  readonly originator: Originator;
}

/** What an action may know of the session that asks. */
export interface Asker {
  readonly write: Classes;
  /** Changes which events the session hears; answers whether it hears any now. */
  setEventMask(mask: string): boolean;
}

/** One manager action. A promise freezes the session until it settles, as a blocking action does in Asterisk. */
export interface ActionDefinition {
  readonly name: string;
  /** As ListCommands tells it. */
  readonly synopsis: string;
  /** Write classes; one of them suffices, none = everybody. */
  readonly classes: readonly string[];
  run(request: AmiRequest, office: Office, asker: Asker): Reply | Promise<Reply>;
}
