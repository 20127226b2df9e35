import type { Node, NodeInitializer, NodeMessageInFlow, NodeStatus } from 'node-red';
import { agentError } from '../lib/agents/errors';
import { hashPin } from '../lib/agents/pins';
import { asError } from '../lib/errors';
import type { PopCall } from '../lib/agents/desk';
import { isDeliverableTopic, readMessage } from '../lib/messages/parse';
import { pbxError } from '../lib/pbx/errors';
import { adminAction } from './runtime/admin';
import { agentDesk } from './runtime/agent-desk';
import type { AgentDesk } from './runtime/agent-desk';
import { pinSlots } from './runtime/agent-pins';
import { amiConfig } from './runtime/config-nodes';
import { deskMemory, forgetDesk } from './runtime/desk-memories';
import { nodeError } from './runtime/errors';
import { whenFlowsStarted } from './runtime/flows-started';
import { httpIsOff, serveHttp } from './runtime/http-routes';
import type { Route } from './runtime/http-routes';
import { forPeople, wordsFor } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { linkStatus, NO_PBX_STATUS } from './runtime/link-status';
import type { ScreenPopCredentials, ScreenPopDef } from './runtime/screen-pop-settings';
import { basePath, textOf } from './runtime/settings';
import { StatusLine } from './runtime/status';
import { whichNode } from './runtime/which-node';

type PopNode = Node<ScreenPopCredentials>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The call that a message is about. Throws `MESSAGE_BAD`; of a call whose topic a flow has changed, too. */
function callOf(topic: unknown, payload: Readonly<Record<string, unknown>>): PopCall | undefined {
  if (typeof payload.callId !== 'string' || !('direction' in payload)) return undefined;
  const { payload: call } = readMessage(isDeliverableTopic(topic) ? topic : 'call_ringing', payload);
  return 'direction' in call ? call : undefined;
}

/** A message for one agent: an event of a call, perhaps with what the CRM says of the client; or a note, or an address. */
function pushed(desk: AgentDesk, msg: NodeMessageInFlow): void {
  const payload = isObject(msg.payload) ? msg.payload : {};
  const { contact } = msg as { readonly contact?: unknown };
  const extension = textOf(payload.extension);
  if (extension === '') throw agentError('AGENT_NOBODY');
  const entities: readonly unknown[] = isObject(contact) && Array.isArray(contact.entities) ? contact.entities : [];
  const [address] = entities.map((entity) => (isObject(entity) ? textOf(entity.url) : '')).filter((url) => url !== '');
  const url = textOf(payload.url) || address;
  const note = textOf(payload.note);
  const call = callOf((msg as { readonly topic?: unknown }).topic, payload);
  desk.desk.push({
    extension,
    ...(note === '' ? {} : { note }),
    ...(url === undefined ? {} : { url }),
    ...(call ? { call } : {}),
    ...(isObject(contact) ? { found: contact.found === true } : {}),
  });
}

const init: NodeInitializer = (red) => {
  function ScreenPop(this: PopNode, def: ScreenPopDef): void {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    const pbx = amiConfig(red, def.pbx)?.pbx;
    const leave: ((removed: boolean) => void)[] = [];
    const taken = new Set<string>();
    let desk: AgentDesk | undefined;
    let problem: Error | undefined;
    const state = (): NodeStatus => {
      if (!pbx) return NO_PBX_STATUS;
      if (problem) return { fill: 'red', shape: 'dot', text: 'screen-pop.status.settings' };
      if (httpIsOff(red)) return { fill: 'red', shape: 'ring', text: 'screen-pop.status.http-off' };
      return taken.size > 0 ? { fill: 'red', shape: 'ring', text: 'screen-pop.status.path-taken' } : linkStatus(pbx);
    };
    const showState = (): void => status.setBase(state());
    // One of the paths below is enough to tell that another node has them.
    const takenBy = (path: string, owner: Node): void => {
      if (taken.size === 0) {
        const error = nodeError('ENDPOINT_PATH_TAKEN', { path, node: whichNode(red, owner) });
        this.warn(`${forPeople(red, this.type, error).message} (${error.code})`);
      }
      taken.add(path);
    };
    const tell = (topic: string, payload: Readonly<Record<string, unknown>>): void => this.send({ topic, payload });
    try {
      if (pbx) {
        const own = (desk = agentDesk(red, this, def, pbx, deskMemory(red, this.id), tell));
        const base = basePath(textOf(def.path) || '/agent');
        if (!httpIsOff(red)) {
          for (const [name, serve] of own.page.routes) {
            const path = name === '' ? base : `${base}/${name}`;
            const onTurn = (mine: boolean, { owner }: Route): void => {
              if (mine) taken.delete(path);
              else takenBy(path, owner);
              showState();
            };
            leave.push(serveHttp(red, path, { serve, owner: this }, onTurn));
          }
        }
        const callOff = whenFlowsStarted(red, () => {
          const end = pbx.calls.subscribe(own.onCall, this.id);
          leave.push((removed) => end(!removed));
          leave.push(pbx.calls.onListed(() => own.desk.showState()));
          if (def.queues !== true) return;
          const endQueues = pbx.queues.subscribe(own.onQueue, this.id);
          leave.push((removed) => endQueues(!removed));
          leave.push(pbx.queues.onListed(() => own.desk.showState()));
        });
        leave.push(callOff, pbx.client.onState(showState));
        pbx.open();
      }
    } catch (thrown) {
      problem = asError(thrown);
      this.error(wordsFor(red, this, problem));
    }
    showState();
    onInput(red, this, (msg) => {
      if (!desk) throw problem ?? pbxError('PBX_NOT_CHOSEN');
      pushed(desk, msg);
    });
    onClose(red, this, async (removed) => {
      for (const each of leave) each(removed);
      if (removed) forgetDesk(red, this.id);
      status.close();
      await desk?.close();
    });
  }
  red.nodes.registerType<PopNode, ScreenPopDef, object, ScreenPopCredentials>('screen-pop', ScreenPop, {
    credentials: Object.fromEntries(['secret', ...pinSlots].map((name) => [name, { type: 'password' }])),
  });

  // Only to who has typed the PIN: the dialog saves it as a password of its own, and no hash that is stored goes to a browser.
  adminAction(red, '/telephony-crm/screen-pop/:id/pin', 'screen-pop.write', async ({ body }) => ({
    hash: await hashPin(textOf(body.pin)),
  }));
};

export default init;
