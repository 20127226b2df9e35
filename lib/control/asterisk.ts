import type { ActionOptions, AmiAction, AmiClient, AmiMessage } from '../ami/types';
import type { Clock } from '../clock';
import { TelephonyError } from '../errors';
import { ownerOf, type Whose } from '../phone/interfaces';
import { liveChannels, type LiveChannel } from './channels';
import { controlError, notPossible } from './errors';

/** Asterisk answers all of these at once; a PBX that needs longer is in trouble, and an order carried out late helps nobody. */
const WITHIN: ActionOptions = { timeoutMs: 4000 };
const MAX_MESSAGE = 200;
const FOLLOW_WITHIN_MS = 1000;
const LOOK_AGAIN_MS = 30;

type Pair = readonly [LiveChannel, LiveChannel];

/** Waits for the event, at most so many ms; `undefined` when it did not come. To be called once, whatever happens. */
export type Listening = (ms: number) => Promise<AmiMessage | undefined>;

/** Classes in `write=`, where one that every order needs, `call`, is not enough (measured on Asterisk 22.10 and 16.28). */
const CLASSES: Readonly<Record<string, string>> = {
  CoreShowChannels: 'reporting',
  MixMonitor: 'system',
  MuteAudio: 'system',
  PJSIPNotify: 'system',
  QueueAdd: 'agent',
  QueueRemove: 'agent',
  QueuePause: 'agent',
  Getvar: 'reporting',
};

/** What orders ask of Asterisk, with its refusals in the words of this room. */
export class Asterisk {
  constructor(
    private readonly client: AmiClient,
    private readonly clock: Clock,
    private readonly whose: Whose,
  ) {}

  /** All channels that live now. */
  channels(): Promise<LiveChannel[]> {
    const action = 'CoreShowChannels';
    return liveChannels(this.client, this.whose, WITHIN).catch((thrown: unknown) => {
      const message = thrown instanceof TelephonyError ? thrown.message : '';
      throw /permission denied/i.test(message) ? notPossible('permission', { action, class: 'reporting' }) : thrown;
    });
  }

  /** The queues and their members. */
  queueStatus(): Promise<readonly AmiMessage[]> {
    return this.client.list({ action: 'QueueStatus' }, WITHIN);
  }

  /** Whose phone an interface of a queue is; `undefined`: not one of ours. */
  ownerOf(interfaceName: string): string | undefined {
    return ownerOf(this.whose, interfaceName);
  }

  /** Does one thing, and throws what Asterisk has against it, but for words that are `no` refusal. */
  async act(action: AmiAction, no?: RegExp): Promise<AmiMessage> {
    const answer = await this.client.action(action, WITHIN);
    if (answer.name !== 'Error') return answer;
    const name = action.action;
    const message = (answer.get('Message') ?? '').replace(/[\u0000-\u001f]+/g, ' ').slice(0, MAX_MESSAGE);
    if (no?.test(message)) return answer;
    if (/permission denied/i.test(message))
      throw notPossible('permission', { action: name, class: CLASSES[name] ?? 'call' });
    if (/unknown command/i.test(message)) throw notPossible('unknown', { action: name });
    throw controlError('CONTROL_REFUSED', { action: name, message });
  }

  set(channel: LiveChannel, variable: string, value: string): Promise<AmiMessage> {
    return this.act({ action: 'Setvar', headers: { Channel: channel.name, Variable: variable, Value: value } });
  }

  /** A variable of a channel; empty when it has none. */
  async get(channel: LiveChannel, variable: string): Promise<string> {
    const answer = await this.act({ action: 'Getvar', headers: { Channel: channel.name, Variable: variable } });
    const value = answer.get('Value') ?? '';
    return value === '(null)' ? '' : value;
  }

  /** A global variable or function. */
  async getGlobal(Variable: string): Promise<string> {
    return (await this.act({ action: 'Getvar', headers: { Variable } })).get('Value') ?? '';
  }

  /** Whether a channel could go on there: one that is sent to a place which does not exist is hung up. */
  async hasPlace(context: string, exten: string): Promise<boolean> {
    return (await this.getGlobal(`DIALPLAN_EXISTS(${context},${exten},1)`)) === '1';
  }

  /** Whether this is a queue, or a slot in which somebody is parked: numbers that no phone has and that stay inside. */
  async isQueueOrSlot(exten: string): Promise<boolean> {
    const has = async (action: AmiAction, header: string): Promise<boolean> => {
      // A PBX without the module has none of these.
      const rows = await this.client.list(action, WITHIN).catch(() => []);
      return rows.some((row) => row.get(header) === exten);
    };
    return (
      (await has({ action: 'QueueSummary', headers: { Queue: exten } }, 'Queue')) ||
      (await has({ action: 'ParkedCalls' }, 'ParkingSpace'))
    );
  }

  /** The slot in which a channel is parked. */
  async slotOf({ id }: LiveChannel): Promise<string | undefined> {
    const parked = await this.client.list({ action: 'ParkedCalls' }, WITHIN);
    const slot = parked.find((row) => row.get('ParkeeUniqueid') === id)?.get('ParkingSpace');
    return slot !== undefined && /^\d{1,10}$/.test(slot) ? slot : undefined;
  }

  hangUp(channel: LiveChannel): Promise<AmiMessage> {
    return this.act({ action: 'Hangup', headers: { Channel: channel.name, Cause: 16 } });
  }

  /** As {@link act}; when Asterisk has something against it, the listening ends. */
  async actThen(action: AmiAction, listening: Listening): Promise<void> {
    try {
      await this.act(action);
    } catch (thrown) {
      await listening(0);
      throw thrown;
    }
  }

  /** Looks at all channels, again after so many ms each time, until something is found; `undefined` when it is not within `ms`. */
  async look<T>(
    find: (channels: readonly LiveChannel[]) => T | undefined,
    { ms, everyMs = LOOK_AGAIN_MS }: { readonly ms: number; readonly everyMs?: number },
  ): Promise<T | undefined> {
    const until = this.clock.monotonic() + ms;
    for (;;) {
      const found = find(await this.channels());
      if (found !== undefined || this.clock.monotonic() > until) return found;
      await new Promise<void>((resolve) => void this.clock.after(everyMs, resolve));
    }
  }

  /**
   * Waits until two channels are where they were sent: Asterisk answers before they are. Throws `CONTROL_NOT_POSSIBLE` when that
   * takes longer than `ms`, a second if not given.
   */
  async follow(pair: Pair, isThere: (now: Pair) => boolean, ms = FOLLOW_WITHIN_MS): Promise<void> {
    const areThere = await this.look(
      (all) => {
        const [one, other] = pair.map(({ id }) => all.find((channel) => channel.id === id));
        if (!one || !other) return false;
        return isThere([one, other]) || undefined;
      },
      { ms },
    );
    if (areThere !== true) throw notPossible('notFollowed', { ms });
  }

  /** As {@link follow}, into one bridge. */
  followTogether(one: LiveChannel, other: LiveChannel, ms?: number): Promise<void> {
    return this.follow([one, other], ([{ bridge }, { bridge: same }]) => bridge !== undefined && bridge === same, ms);
  }

  /** Listens from now on for one event. */
  listen(event: string, isIt: (event: AmiMessage) => boolean): Listening {
    let heard: AmiMessage | undefined;
    let tell: (event: AmiMessage | undefined) => void = () => undefined;
    const end = this.client.subscribe([event], (message) => {
      if (heard || !isIt(message)) return;
      heard = message;
      tell(message);
    });
    return (ms) =>
      new Promise<AmiMessage | undefined>((resolve) => {
        const timer = this.clock.after(ms, () => tell(undefined));
        tell = (event) => {
          timer.cancel();
          end();
          resolve(event);
        };
        if (heard || ms === 0) tell(heard);
      });
  }
}
