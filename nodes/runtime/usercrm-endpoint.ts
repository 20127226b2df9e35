import type { Node, NodeAPI, NodeDef, NodeStatus } from 'node-red';
import { AgiServer } from '../../lib/agi/server';
import type { AmiClient } from '../../lib/ami/types';
import { systemClock } from '../../lib/clock';
import { asError } from '../../lib/errors';
import { Access, secretDigest } from '../../lib/http-in/access';
import type { Pbx } from '../../lib/pbx/pbx';
import { httpProtocols } from '../../lib/protocols';
import { defaultAgiTag } from '../../lib/protocols/async-agi';
import type { Asked, HttpProtocolName } from '../../lib/protocols/types';
import { nobody } from '../../lib/questions/answer';
import { Complaints } from './complaints';
import { Claims } from './claims';
import { amiConfig, crmConfig } from './config-nodes';
import { HttpEndpoint } from './http-endpoint';
import { nodeError } from './errors';
import { httpIsOff, serveHttp } from './http-routes';
import type { Route } from './http-routes';
import { forPeople, languageOf } from './language';
import { NO_PBX_STATUS, linkStatus } from './link-status';
import { OwnAnswers } from './own-answers';
import { MAX_OPEN_QUESTIONS, closeBook, openBook } from './questions';
import type { QuestionToken } from './questions';
import { crmWords } from './crm-status';
import { whenFlowsStarted } from './flows-started';
import { fetchWaitingOrders } from './waiting-orders';
import { whichNode } from './which-node';
import { basePath, keyOf, milliseconds, textOf } from './settings';
import { StatusLine } from './status';

export interface UserCrmInDef extends NodeDef {
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly asyncAgi?: boolean;
  readonly pbx?: string;
  readonly agiTag?: string;
  /** Addresses that need no key. */
  readonly allowList?: string;
  /** Addresses of proxies whose word about who asks is believed. */
  readonly trustedProxies?: string;
  /** Whose table says who has which extension. */
  readonly crm?: string;
  /** Bitrix24's clicks are fetched from the queue of that CRM. */
  readonly offlineEvents?: boolean;
  /** Seconds for the route question, and for each other action that has an output. */
  readonly deadline?: string | number;
  readonly deadlines?: Readonly<Record<string, string | number>>;
  /** What has an output, in the order of the outputs; `route` is always the first. */
  readonly actions?: readonly string[];
}

export interface UserCrmInCredentials {
  readonly apiKey?: string;
  /** The `application_token` of Bitrix24. */
  readonly applicationToken?: string;
}

/** What a flow that was saved before a setting existed means by its absence. */
const DEFAULTS = { protocols: ['itgrix', 'json'], allowList: '127.0.0.1, ::1', deadlineSeconds: 3 } as const;
/** Of actions beside the route, in seconds; a caller of Alterisk's `makecall` waits until the client has answered. */
const COMMAND_SECONDS = 10;
const CALL_SECONDS = 120;
const LONGEST_SECONDS = 600;

/** Protocols whose askers are known by their phones, or that ask for channels. */
const ASK_THE_PBX: readonly string[] = ['alterisk', 'amocrm'];

const status = (
  fill: 'green' | 'yellow' | 'red' | 'grey' | 'blue',
  shape: 'dot' | 'ring',
  text: string,
): NodeStatus => ({
  fill,
  shape,
  text: `usercrm-in.status.${text}`,
});

/** What the flow gets of a request: the question itself, or what it orders. */
function payloadOf(request: Asked): object {
  if (request.action === 'route') return request.question;
  return request.action === 'command' ? request.payload : { params: {} };
}

/** Which tags of a PBX have a node that answers them. */
const tagsOf = new WeakMap<AmiClient, Claims<UserCrmEndpoint>>();

/** One `usercrm-in` at work: its paths, the channels it answers, and the questions that wait. */
export class UserCrmEndpoint {
  private readonly line: StatusLine;
  private readonly complaints: Complaints;
  private readonly actions: readonly string[];
  private readonly waitMs: number;
  private readonly book;
  private readonly leave: (() => void)[] = [];
  /** Paths that another node had first. */
  private readonly taken = new Set<string>();
  private paths = 0;
  private wrongSettings = false;
  private readonly pbx: Pbx | undefined;
  private agi: AgiServer | undefined;
  private leaveTag: (() => void) | undefined;
  private tagTaken = false;
  /** What keeps the clicks from being fetched. */
  private queueTrouble: NodeStatus | undefined;

  constructor(
    private readonly red: NodeAPI,
    private readonly node: Node<UserCrmInCredentials>,
    private readonly def: UserCrmInDef,
  ) {
    this.line = new StatusLine(node);
    this.complaints = new Complaints(node);
    this.actions = ['route', ...(def.actions ?? []).filter((action) => action !== 'route')];
    this.waitMs = milliseconds(def.deadline, DEFAULTS.deadlineSeconds, (problem) =>
      node.warn(forPeople(red, node.type, problem).message),
    );
    this.book = openBook(this.waitMs, () => this.line.show(status('yellow', 'ring', 'late')));
    this.pbx = this.asksThePbx() ? amiConfig(red, def.pbx)?.pbx : undefined;
    if (this.pbx) {
      this.leave.push(this.pbx.client.onState(() => this.showState()));
      if (def.asyncAgi === true) this.claimTag(this.pbx);
      this.pbx.open();
    }
    if (def.offlineEvents === true) this.leave.push(whenFlowsStarted(red, () => this.fetchOrders()));
    try {
      this.servePaths();
    } catch (thrown) {
      this.wrongSettings = true;
      node.error(forPeople(red, node.type, asError(thrown)).message);
    }
    this.showState();
  }

  /** Everybody who waits is told "nobody" before the node is gone, and before another node may look for waiting calls. */
  async close(): Promise<void> {
    for (const leave of this.leave) leave();
    closeBook(this.book);
    // A node that still waits for the tag must not get it while it closes: it leaves in the same turn.
    if (this.agi) await this.agi.close();
    this.leaveTag?.();
    this.line.close();
  }

  private asksThePbx(): boolean {
    const { asyncAgi, protocols = DEFAULTS.protocols } = this.def;
    return asyncAgi === true || protocols.some((name) => ASK_THE_PBX.includes(name));
  }

  /** In ms. */
  private deadlineOf(action: string): number {
    const usual = action === 'make_call' ? CALL_SECONDS : COMMAND_SECONDS;
    const seconds = Number(textOf(this.def.deadlines?.[action]).replace(',', '.')) || usual;
    return (seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : usual) * 1000;
  }

  private servePaths(): void {
    const { red, node, def } = this;
    const names = (def.protocols ?? DEFAULTS.protocols).filter((name): name is HttpProtocolName =>
      Object.hasOwn(httpProtocols, name),
    );
    this.paths = names.length;
    if (httpIsOff(red)) return;
    const base = basePath(def.path);
    const basicAuthInFront = Boolean((red.settings as { readonly httpNodeAuth?: unknown }).httpNodeAuth);
    const own = new OwnAnswers({ account: crmConfig(red, def.crm)?.account, pbx: this.pbx });
    const endpoint = new HttpEndpoint({
      access: new Access({
        apiKey: keyOf(node.credentials.apiKey),
        allowList: def.allowList ?? DEFAULTS.allowList,
        trustedProxies: def.trustedProxies ?? '',
        basicAuthInFront,
      }),
      book: this.book,
      lang: languageOf(red, node.type),
      serves: (action) => this.actions.includes(action),
      deadlineOf: (action) => (action === 'route' ? this.waitMs : this.deadlineOf(action)),
      own,
      applicationKey: secretDigest(keyOf(node.credentials.applicationToken)),
      onQuestion: (id, protocol, action, request) => this.ask({ id, protocol, action }, payloadOf(request)),
      onNotice: (protocol, { command, payload }) =>
        this.tell(command, { ...own.extensionIn(payload), ...payload, protocol }),
      onFull: () => this.full(),
      warn: (text) => this.complaints.warn('HTTP', text),
    });
    for (const name of names) {
      const protocol = httpProtocols[name];
      const path = base + protocol.path;
      const onTurn = (mine: boolean, { owner }: Route): void => {
        if (mine) this.taken.delete(path);
        else this.pathTaken(path, owner);
        this.showState();
      };
      this.leave.push(serveHttp(red, path, { ...endpoint.handlers(name, protocol), owner: node }, onTurn));
    }
  }

  private pathTaken(path: string, owner: Node): void {
    this.taken.add(path);
    const error = nodeError('ENDPOINT_PATH_TAKEN', { path, node: whichNode(this.red, owner) });
    this.node.warn(`${forPeople(this.red, this.node.type, error).message} (${error.code})`);
  }

  private fetchOrders(): void {
    const account = crmConfig(this.red, this.def.crm)?.account;
    const own = new OwnAnswers({ account, pbx: this.pbx });
    const trouble = (found: NodeStatus | undefined): void => {
      this.queueTrouble = found;
      this.showState();
    };
    if (!account?.hasOrders) {
      trouble(status('red', 'dot', 'no-queue'));
      return;
    }
    const leave = fetchWaitingOrders({
      account,
      serves: (action) => this.actions.includes(action),
      tell: (action, payload) => this.tell(action, { ...own.extensionIn(payload), ...payload, protocol: 'bitrix24' }),
      complain: (key, values) => this.complaints.warn(`QUEUE ${key}`, this.red._(`usercrm-in.queue.${key}`, values)),
      onState: (error) => {
        if (error) this.complaints.warn(error.code, forPeople(this.red, this.node.type, error).message);
        trouble(error && { fill: 'red', shape: 'ring', text: crmWords(error.code) });
      },
      onTurn: (mine) => trouble(mine ? undefined : status('red', 'ring', 'queue-taken')),
    });
    this.leave.push(leave);
  }

  /** Two nodes that answer the same channels would let them go twice. */
  private claimTag(pbx: Pbx): void {
    const tags = tagsOf.get(pbx.client) ?? new Claims<UserCrmEndpoint>();
    tagsOf.set(pbx.client, tags);
    const tag = textOf(this.def.agiTag) || defaultAgiTag;
    const onTurn = (mine: boolean): void => {
      this.tagTaken = !mine;
      if (mine) this.agi = this.serveAgi(pbx, tag);
      this.showState();
    };
    this.leaveTag = tags.claim(tag, this, onTurn);
  }

  private serveAgi(pbx: Pbx, tag: string): AgiServer {
    return new AgiServer({
      client: pbx.client,
      tag,
      clock: systemClock,
      limit: MAX_OPEN_QUESTIONS,
      onCall: (call) => {
        const id = this.book.ask({
          action: 'route',
          settle: (answer) => call.answer(answer?.kind === 'route' ? answer.answer : nobody),
        });
        if (id === undefined) {
          this.full();
          return false;
        }
        call.onGone(() => this.book.forget(id));
        this.ask({ id, protocol: 'async-agi', action: 'route', pbx: pbx.name }, call.question);
        return true;
      },
      onProblem: (error) => this.complaints.warn(error.code, forPeople(this.red, this.node.type, error).message),
    });
  }

  private ask(usercrm: QuestionToken, payload: object): void {
    const { action, protocol } = usercrm;
    // A call whose outcome is waited for goes on after the client answered: whoever tells of that must know the asker, too.
    const data = 'answer' in payload ? { data: { usercrm: usercrm.id } } : {};
    this.tell(action, { ...payload, ...data, protocol }, { usercrm });
  }

  private tell(action: string, payload: object, more: object = {}): void {
    const msg = { topic: action, payload, ...more };
    this.node.send(this.actions.map((each) => (each === action ? msg : null)));
    this.line.show(status('blue', 'dot', 'asked'));
  }

  private full(): void {
    this.line.show(status('red', 'dot', 'full'));
    this.complaints.warn('FULL', this.red._('usercrm-in.log.full', { limit: MAX_OPEN_QUESTIONS }));
  }

  private showState(): void {
    this.line.setBase(this.state());
  }

  /** The worst of what is true now. */
  private state(): NodeStatus {
    const { asyncAgi } = this.def;
    if (this.wrongSettings) return status('red', 'dot', 'settings');
    if (this.paths > 0 && httpIsOff(this.red)) return status('red', 'ring', 'http-off');
    if (this.taken.size > 0) return status('red', 'ring', 'path-taken');
    if (asyncAgi === true && !this.pbx) return NO_PBX_STATUS;
    if (this.tagTaken) return status('red', 'ring', 'tag-taken');
    if (this.queueTrouble) return this.queueTrouble;
    if (this.pbx && this.pbx.client.state.phase !== 'ready') return linkStatus(this.pbx);
    return this.paths > 0 || this.pbx || this.def.offlineEvents === true
      ? status('green', 'dot', 'ready')
      : status('grey', 'ring', 'nothing');
  }
}
