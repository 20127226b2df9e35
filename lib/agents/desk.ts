import type { Clock } from '../clock';
import type { ControlAction, ControlDone, ControlOrder } from '../control/types';
import type { QueueMessage } from '../messages/queues';
import type { CallMessage, CallPayload, PbxMessage } from '../messages/types';
import { regionTime } from '../protocols/line24';
import { agentError } from './errors';
import { Feed } from './feed';
import { webAddress } from './pop-url';
import type { PopTemplate, PopVariables } from './pop-url';

/** What an agent may do with a call of his own. */
const AGENT_ACTIONS: readonly string[] = [
  'hold',
  'unhold',
  'transfer',
  'attended-transfer',
  'complete-transfer',
  'cancel-transfer',
  'hangup',
] satisfies readonly ControlAction[];

/** Calls of which a queue told more than the life of calls does; beyond it the oldest are forgotten. */
const MAX_QUEUE_CALLS = 2000;
const MAX_TEXT = 1000;

/** A call as the page shows it. */
export interface DeskCall {
  readonly legId: string;
  readonly callId: string;
  readonly state: 'ringing' | 'talking' | 'held';
  readonly direction: string;
  readonly number: string;
  readonly name?: string;
  readonly line?: string;
  readonly queue?: string;
  readonly region?: string;
  readonly startedAt: string;
  readonly answeredAt?: string;
}

/** What the page is to open. */
interface Pop {
  readonly url: string;
  /** In a tab of its own: the page may not frame it, or the admin wants it so. */
  readonly tab: boolean;
  readonly legId?: string;
}

export interface DeskOptions {
  readonly templates: {
    /** Of a client that the CRM knows, and of everybody when nobody asks it. */
    readonly known?: PopTemplate;
    readonly unknown?: PopTemplate;
  };
  /** When calls open an address by themselves; `never`: only messages do. */
  readonly popAt: 'ringing' | 'answer' | 'never';
  readonly tab: boolean;
  /** Who an agent is, for `%agent_id%` and `%agent_name%`. */
  readonly userOf: (extension: string) => { readonly id: string; readonly name?: string } | undefined;
}

export interface DeskDeps {
  readonly clock: Clock;
  readonly current: () => readonly CallMessage[];
  readonly run: (order: ControlOrder) => Promise<ControlDone>;
}

/** What a flow pushes to one agent. */
export interface Push {
  readonly extension: string;
  readonly note?: string;
  readonly url?: string;
  /** The call that it is about. */
  readonly call?: CallPayload;
  /** Whether the CRM knows the client; `undefined`: nobody asked. */
  readonly found?: boolean;
}

const STATES: Readonly<Record<string, DeskCall['state']>> = {
  call_ringing: 'ringing',
  call_answer: 'talking',
  call_active: 'talking',
  call_held: 'held',
};

/** All agents of one page: what they are told, and what they may do. Each is told of his own calls only. */
export class Desk {
  readonly feed = new Feed();
  private readonly queueCalls = new Map<string, PopVariables>();

  constructor(
    private readonly options: DeskOptions,
    private readonly deps: DeskDeps,
  ) {}

  /** Origins that the page must be allowed to frame. */
  get origins(): readonly string[] {
    const { known, unknown } = this.options.templates;
    return [...new Set([known?.origin, unknown?.origin].filter((origin) => origin !== undefined))];
  }

  onCall(message: PbxMessage): void {
    if (message.topic === 'call_record' || message.topic === 'gap' || message.topic === 'user_change') return;
    const { topic, payload } = message;
    const { extension, eventId, legId = payload.callId } = payload;
    if (extension === undefined) return;
    const state = STATES[topic];
    const call = state && this.shown(payload, state);
    if (call) this.feed.tell(extension, 'call', { eventId, call });
    else if (topic === 'call_hangup') {
      const { result, talkSeconds } = payload;
      this.feed.tell(extension, 'end', { eventId, legId, result, talkSeconds });
    }
    const { popAt } = this.options;
    if ((topic === 'call_ringing' && popAt === 'ringing') || (topic === 'call_answer' && popAt === 'answer')) {
      this.pop(extension, payload, true);
    }
  }

  /** What only a queue knows of a call goes into the templates. */
  onQueue({ payload }: QueueMessage): void {
    if (!('callId' in payload)) return;
    const { callId, queue, agent, callInfo } = payload;
    const known = {
      ...this.queueCalls.get(callId),
      ...(queue?.name === undefined ? {} : { queue_name: queue.name }),
      ...(agent?.info === undefined ? {} : { agent_info: agent.info }),
      ...(callInfo === undefined ? {} : { call_info: callInfo }),
    };
    if (Object.keys(known).length === 0) return;
    this.queueCalls.set(callId, known);
    const [oldest] = this.queueCalls.keys();
    if (this.queueCalls.size > MAX_QUEUE_CALLS && oldest !== undefined) this.queueCalls.delete(oldest);
  }

  /** The calls of one agent as they are now. */
  callsOf(extension: string): readonly DeskCall[] {
    return this.deps.current().flatMap(({ topic, payload }) => {
      const state = STATES[topic];
      return state && payload.extension === extension ? [this.shown(payload, state)] : [];
    });
  }

  push({ extension, note, url, call, found = true }: Push): void {
    if (note !== undefined) this.feed.tell(extension, 'note', { text: note.slice(0, MAX_TEXT) });
    const address = url === undefined ? undefined : webAddress(url);
    if (address !== undefined) this.open(extension, address, call?.legId);
    else if (url === undefined && call) this.pop(extension, call, found);
    if (url !== undefined && address === undefined)
      throw agentError('AGENT_BAD_TEMPLATE', { template: url.slice(0, 200) });
  }

  /** Rejects with `AGENT_BAD_REQUEST`, `AGENT_NOT_YOUR_CALL`, or as {@link CallControl.run} does. */
  async act(extension: string, asked: Readonly<Record<string, unknown>>): Promise<ControlDone> {
    const { action, legId, to } = asked;
    const known = AGENT_ACTIONS.find((each) => each === action) as ControlAction | undefined;
    if (known === undefined || typeof legId !== 'string' || !(to === undefined || typeof to === 'string')) {
      throw agentError('AGENT_BAD_REQUEST');
    }
    const own = this.callsOf(extension).find((call) => call.legId === legId);
    if (!own) throw agentError('AGENT_NOT_YOUR_CALL');
    return this.deps.run({
      action: known,
      call: { callId: own.callId, extension },
      ...(to === undefined ? {} : { to: to.trim() }),
    });
  }

  private pop(extension: string, call: CallPayload, found: boolean): void {
    const { known, unknown } = this.options.templates;
    const url = (found ? known : unknown)?.fill(this.variablesOf(extension, call));
    if (url !== undefined) this.open(extension, url, call.legId);
  }

  private open(extension: string, url: string, legId: string | undefined): void {
    const isOurs = !/^https?:/i.test(url);
    const tab = this.options.tab || !(isOurs || this.origins.includes(new URL(url).origin));
    const pop: Pop = { url, tab, ...(legId === undefined ? {} : { legId }) };
    this.feed.tell(extension, 'pop', pop);
  }

  /** The twelve parameters that a form is opened with in «Линия24». */
  private variablesOf(extension: string, call: CallPayload): PopVariables {
    const { client, peer, line, queue } = call;
    const user = this.options.userOf(extension);
    return {
      callerid: client?.number ?? peer?.extension ?? '',
      directid: line?.number ?? '',
      region_name: client?.region?.name ?? '',
      region_time: regionTime(client?.region?.timeZone, this.deps.clock.now()),
      queue_id: queue?.id ?? '',
      queue_name: queue?.name ?? queue?.id ?? '',
      uniqueid: call.callId,
      agent_id: user?.id ?? extension,
      agent_phone: extension,
      agent_name: user?.name ?? '',
      agent_info: '',
      call_info: call.variables?.call_info ?? '',
      ...this.queueCalls.get(call.callId),
    };
  }

  private shown(payload: CallPayload, state: DeskCall['state']): DeskCall {
    const { callId, legId = callId, direction, client, peer, line, queue, startedAt, answeredAt } = payload;
    const name = client?.name ?? peer?.name;
    const region = client?.region?.name;
    const queueName = queue?.name ?? queue?.id;
    return {
      legId,
      callId,
      state,
      direction,
      number: client?.e164 ?? client?.number ?? peer?.extension ?? '',
      ...(name === undefined ? {} : { name }),
      ...(line?.number === undefined ? {} : { line: line.number }),
      ...(queueName === undefined ? {} : { queue: queueName }),
      ...(region === undefined ? {} : { region }),
      startedAt,
      ...(answeredAt === undefined ? {} : { answeredAt }),
    };
  }
}
