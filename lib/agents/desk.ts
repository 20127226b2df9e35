import type { Clock } from '../clock';
import type { AgentDone, AgentOrder, ControlAction, ControlDone, ControlOrder } from '../control/types';
import { line24Parameters } from '../messages/line24';
import type { QueueMessage } from '../messages/queues';
import type { CallMessage, CallPayload, PbxMessage } from '../messages/types';
import { TelephonyError } from '../errors';
import { agentError } from './errors';
import type { DeskMemory, Pop } from './memory';
import { pageAddress } from './pop-url';
import type { PopTemplate, PopVariables } from './pop-url';
import { queueOrder, queuesFor } from './queues';
import type { DeskQueue, QueueMembers, QueueRules } from './queues';

/** What an agent may do with a call of his own. */
const CALL_ACTIONS: readonly string[] = [
  'hold',
  'unhold',
  'transfer',
  'attended-transfer',
  'complete-transfer',
  'cancel-transfer',
  'hangup',
] satisfies readonly ControlAction[];

/** What ends a consultation; that there is none (any more) they find out, too. */
const CONSULTATION_ENDS: readonly string[] = [
  'complete-transfer',
  'cancel-transfer',
] satisfies readonly ControlAction[];

const MAX_TEXT = 1000;

/** A call as the page shows it. */
interface DeskCall {
  readonly legId: string;
  readonly callId: string;
  readonly state: 'ringing' | 'talking' | 'held';
  readonly number: string;
  readonly name?: string;
  readonly line?: string;
  readonly queue?: string;
  readonly region?: string;
  readonly startedAt: string;
  readonly answeredAt?: string;
  /** The client waits while the agent talks to a colleague whom he may hand the call over to. */
  readonly consulting?: true;
}

/** All that a page has to show of an agent now. */
export interface DeskState {
  readonly extension: string;
  readonly name?: string;
  /** Whether the PBX is heard: without it the calls are those of before. */
  readonly ready: boolean;
  readonly calls: readonly DeskCall[];
  readonly card?: Pop;
  /** Whether the calls of the day can be asked for. */
  readonly history: boolean;
  /** For the clock of a conversation: that of the browser may be wrong. */
  readonly now: string;
  /** Absent: the page has nothing to do with queues. */
  readonly queues?: {
    /** Whether the PBX has told its queues. */
    readonly ready: boolean;
    readonly list: readonly DeskQueue[];
    readonly reasons: readonly string[];
    readonly freeReason: boolean;
  };
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
  /** The calls of the day are kept. */
  readonly history: boolean;
  /** Absent: agents have nothing to do with queues here. */
  readonly queues?: QueueRules;
  /** Who an agent is, for `%agent_id%` and `%agent_name%`. */
  readonly userOf: (extension: string) => { readonly id: string; readonly name?: string } | undefined;
}

export interface DeskDeps {
  readonly clock: Clock;
  /** What holds now; `isKnown`: the PBX is heard. */
  readonly calls: { readonly current: readonly CallMessage[]; readonly isKnown: boolean };
  readonly members: () => QueueMembers | undefined;
  readonly run: (order: ControlOrder) => Promise<ControlDone>;
  readonly runAgent: (order: AgentOrder) => Promise<AgentDone>;
}

/** What an address can be made of, in an event of a call or of its queue. */
export type PopCall = Pick<CallPayload, 'callId' | 'legId' | 'client' | 'peer' | 'line' | 'queue' | 'variables'>;

/** What a flow pushes to one agent. */
export interface Push {
  readonly extension: string;
  readonly note?: string;
  readonly url?: string;
  /** The call that it is about. */
  readonly call?: PopCall;
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
  constructor(
    private readonly options: DeskOptions,
    private readonly deps: DeskDeps,
    private readonly memory: DeskMemory,
  ) {}

  get feed(): DeskMemory['feed'] {
    return this.memory.feed;
  }

  /** Origins that the page must be allowed to frame. */
  get origins(): readonly string[] {
    const { known, unknown } = this.options.templates;
    return [...new Set([known?.origin, unknown?.origin].filter((origin) => origin !== undefined))];
  }

  stateOf(extension: string, current = this.deps.calls.current): DeskState {
    const { queues: rules, userOf } = this.options;
    const { calls, members } = this.deps;
    const name = userOf(extension)?.name;
    const card = this.cardOf(extension, current);
    const known = members();
    return {
      extension,
      ...(name === undefined ? {} : { name }),
      ready: calls.isKnown,
      calls: this.callsOf(extension, current),
      ...(card ? { card } : {}),
      history: this.options.history,
      now: this.isoNow(),
      ...(rules
        ? {
            queues: {
              ready: known !== undefined,
              list: known ? queuesFor(extension, known, rules) : [],
              reasons: rules.reasons,
              freeReason: rules.freeReason,
            },
          }
        : {}),
    };
  }

  /** Tells an agent, or all who are at their pages, how things are: after what no event of a call tells. */
  showState(extension?: string): void {
    const told = this.feed.extensions.filter((each) => extension === undefined || each === extension);
    if (told.length === 0) return;
    const { current } = this.deps.calls;
    for (const each of told) this.feed.show(each, 'state', this.stateOf(each, current));
  }

  onCall(message: PbxMessage): void {
    if (message.topic === 'call_record' || message.topic === 'gap' || message.topic === 'user_change') return;
    const { topic, payload } = message;
    const { extension, eventId, legId = payload.callId } = payload;
    if (extension === undefined) return;
    const state = STATES[topic];
    const call = state && this.shown(payload, state);
    // Who comes back is told the state; what is over is not in it.
    if (call) this.feed.show(extension, 'call', { eventId, call });
    else if (topic === 'call_hangup') {
      this.memory.callEnded(extension, legId, this.deps.clock.monotonic());
      this.feed.tell(extension, 'end', { eventId, legId });
    }
    const { popAt } = this.options;
    if ((topic === 'call_ringing' && popAt === 'ringing') || (topic === 'call_answer' && popAt === 'answer')) {
      this.open(extension, this.popOf(extension, payload, true));
    }
  }

  /** What only a queue knows of a call goes into the templates. */
  onQueue({ topic, payload }: QueueMessage): void {
    if (topic === 'agent_change') {
      this.showState(payload.extension);
      return;
    }
    const { callId, agent, callInfo } = payload;
    const told = {
      ...(agent?.info === undefined ? {} : { agent_info: agent.info }),
      ...(callInfo === undefined ? {} : { call_info: callInfo }),
    };
    if (Object.keys(told).length > 0) this.memory.queueTold(callId, told);
  }

  /** Throws `AGENT_BAD_URL`. */
  push({ extension, note, url, call, found = true }: Push): void {
    if (note !== undefined) this.feed.tell(extension, 'note', { text: note.slice(0, MAX_TEXT), at: this.isoNow() });
    if (url === undefined) {
      if (call) this.open(extension, this.popOf(extension, call, found));
      return;
    }
    const address = pageAddress(url);
    if (address === undefined) throw agentError('AGENT_BAD_URL', { url: url.slice(0, 200) });
    this.open(extension, this.popTo(address, `${call?.legId ?? this.isoNow()}:${address}`, call?.legId));
  }

  /**
   * What the page asks for, on the agent's own calls, or on himself in the queues. Rejects with `AGENT_BAD_REQUEST`,
   * `AGENT_NOT_YOUR_CALL`, `AGENT_QUEUE_NOT_ALLOWED`, `AGENT_BAD_REASON`, or as {@link CallControl.run} and {@link AgentControl.run} do.
   */
  async act(extension: string, asked: Readonly<Record<string, unknown>>): Promise<ControlDone | AgentDone> {
    const { queues, userOf } = this.options;
    const self = { name: userOf(extension)?.name, members: this.deps.members() };
    const order = queues && queueOrder(extension, asked, queues, self);
    if (order) return this.deps.runAgent(order);
    const { action, legId, to } = asked;
    const known = CALL_ACTIONS.find((each) => each === action) as ControlAction | undefined;
    if (known === undefined || typeof legId !== 'string' || !(to === undefined || typeof to === 'string')) {
      throw agentError('AGENT_BAD_REQUEST');
    }
    const own = this.callsOf(extension, this.deps.calls.current).find((call) => call.legId === legId);
    if (!own) throw agentError('AGENT_NOT_YOUR_CALL');
    try {
      const done = await this.deps.run({
        action: known,
        // By the leg: several devices of his may ring in one call.
        call: { callId: own.callId, legId, extension },
        ...(to === undefined ? {} : { to: to.trim() }),
      });
      if (known === 'attended-transfer') this.consults(extension, legId, true);
      else if (CONSULTATION_ENDS.includes(known)) this.consults(extension, legId, false);
      return done;
    } catch (thrown) {
      const isOver = thrown instanceof TelephonyError && thrown.code === 'CONTROL_NOT_POSSIBLE';
      if (isOver && CONSULTATION_ENDS.includes(known)) this.consults(extension, legId, false);
      throw thrown;
    }
  }

  /** Said at once to all pages of the agent, for no event of a call tells it. */
  private consults(extension: string, legId: string, begun: boolean): void {
    this.memory.consults(legId, begun);
    this.showState(extension);
  }

  private callsOf(extension: string, current: readonly CallMessage[]): readonly DeskCall[] {
    return current.flatMap(({ topic, payload }) => {
      const state = STATES[topic];
      return state && payload.extension === extension ? [this.shown(payload, state)] : [];
    });
  }

  /** The card that was opened last; after a restart, the one that a call under way has opened by itself. */
  private cardOf(extension: string, current: readonly CallMessage[]): Pop | undefined {
    const { popAt } = this.options;
    const last = this.memory.cardOf(extension, this.deps.clock.monotonic());
    if (last || popAt === 'never') return last;
    const call = current.find(({ topic, payload }) => {
      const state = STATES[topic];
      return payload.extension === extension && state && (popAt === 'ringing' || state !== 'ringing');
    });
    return call && this.popOf(extension, call.payload, true);
  }

  private popOf(extension: string, call: PopCall, found: boolean): Pop | undefined {
    const { known, unknown } = this.options.templates;
    const url = (found ? known : unknown)?.fill(this.variablesOf(extension, call));
    const { legId = call.callId } = call;
    return url === undefined ? undefined : this.popTo(url, `${legId}:${found ? 'known' : 'unknown'}`, legId);
  }

  private popTo(url: string, id: string, legId: string | undefined): Pop {
    const isOurs = !/^https?:/i.test(url);
    const tab = this.options.tab || !(isOurs || this.origins.includes(new URL(url).origin));
    return { id, url, tab, ...(legId === undefined ? {} : { legId }) };
  }

  private open(extension: string, pop: Pop | undefined): void {
    if (!pop) return;
    this.memory.opened(extension, pop, this.deps.clock.monotonic());
    // Who comes back finds it in the state: of several that he missed, the last one.
    this.feed.show(extension, 'pop', pop);
  }

  private isoNow(): string {
    return new Date(this.deps.clock.now()).toISOString();
  }

  /** What a form is opened with in «Линия24»; what the agent's queue told goes before what the call has. */
  private variablesOf(extension: string, call: PopCall): PopVariables {
    const { id = extension, name } = this.options.userOf(extension) ?? {};
    const agent = { id, phone: extension, ...(name === undefined ? {} : { name }) };
    const { call_info: callInfo = '' } = call.variables ?? {};
    const parameters = line24Parameters({ ...call, agent, callInfo }, this.deps.clock.now());
    return { ...parameters, ...this.memory.queueVariables(call.callId) };
  }

  private shown(payload: CallPayload, state: DeskCall['state']): DeskCall {
    const { callId, legId = callId, client, peer, line, queue, startedAt, answeredAt } = payload;
    const name = client?.name ?? peer?.name;
    const region = client?.region?.name;
    const queueName = queue?.name ?? queue?.id;
    return {
      legId,
      callId,
      state,
      number: client?.e164 ?? client?.number ?? peer?.extension ?? '',
      ...(name === undefined ? {} : { name }),
      ...(line?.number === undefined ? {} : { line: line.number }),
      ...(queueName === undefined ? {} : { queue: queueName }),
      ...(region === undefined ? {} : { region }),
      startedAt,
      ...(answeredAt === undefined ? {} : { answeredAt }),
      ...(this.memory.isConsulting(legId) ? { consulting: true } : {}),
    };
  }
}
