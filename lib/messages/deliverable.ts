import { QUEUE_TOPICS, type QueueMessage } from './queues';
import { CALL_TOPICS, type CallMessage, type OrderEnd, type UserChange } from './types';

/** All events that a CRM can be sent. */
export const DELIVERABLE_TOPICS = [...CALL_TOPICS, 'user_change', 'order_outcome', ...QUEUE_TOPICS] as const;

export type DeliverableTopic = (typeof DELIVERABLE_TOPICS)[number];

/** What a CRM can be told. */
export type Deliverable = CallMessage | UserChange | OrderEnd | QueueMessage;

const OF_QUEUES: readonly string[] = QUEUE_TOPICS;

export const isQueueMessage = (event: Deliverable): event is QueueMessage => OF_QUEUES.includes(event.topic);
