import type { Asterisk, Listening } from './asterisk';
import { isAlone, mayPressKeys, type LiveChannel } from './channels';
import { controlError, notPossible } from './errors';
import { callOf, type FoundCall } from './find';
import type { Holding } from './hold';

/** The first sign of an attended transfer comes with its second key, after 0.3 s (measured). */
const BEGINS_WITHIN_MS = 3000;
/** Asterisk waits for three seconds after a digit where the dialplan has longer numbers too. */
const DIALS_WITHIN_MS = 8000;
/** A channel goes from bridge to bridge in some ms (measured), and is in neither meanwhile; on a busy machine it may take longer. */
const MOVES_WITHIN_MS = 1000;
/**
 * So long nothing may have changed before a consultation is ended: an Asterisk whose phone hangs up just while the colleague's answer is
 * on its way may crash (measured on 22.10: in 4 of 900 such calls).
 */
const STEADY_MS = 250;
/** Keys are heard one after the other, those that end a consultation too (measured: up to 0.7 s). */
const BACK_WITHIN_MS = 3000;

/** Asterisk calls the colleague by a Local channel, which is there until he has answered at least. */
const LOCAL = /^Local\/([^@]+)@(.+)-[0-9a-f]+;1$/;

interface Place {
  readonly exten: string;
  readonly context: string;
}

interface Consultation extends Partial<Place> {
  /** Who waits alone in the bridge that the phone left: the client, or the Local channel that leads to him. */
  readonly client: LiveChannel;
  readonly isAnswered: boolean;
}

/**
 * Attended transfers. AMI has only the action Atxfer, which puts keys into what the phone sends, and succeeds where nobody listens to
 * them or too little of them is heard. Whether keys are listened to is an option of the Dial or Queue that called the phone, and lost where a
 * Local channel between the two went away (measured on Asterisk 22.10 and 16.28).
 */
export class Consultations {
  constructor(
    private readonly asterisk: Asterisk,
    private readonly holding: Holding,
  ) {}

  /** The client waits, the phone calls somebody. Resolves when he is being dialled and the phone has left the client. */
  async begin(phone: LiveChannel, place: Place): Promise<void> {
    const { call, leg } = await this.now(phone);
    const may = mayPressKeys(call.channels, leg);
    const canGive = may !== 'yes' && (await this.holding.canGiveKeys());
    // Behind a Local channel somebody else might listen to the keys: the transfer would be his.
    if (may === 'no' && !canGive) throw notPossible('noTransfer');
    if (!canGive && (await this.press(leg, place))) return;
    await this.giveKeys(call, leg);
    const { leg: again } = await this.now(leg);
    if (!(await this.press(again, place))) throw notPossible('noTransfer');
  }

  /** Back to the client. */
  async cancel(leg: LiveChannel): Promise<void> {
    await this.takeBack(leg, await this.underWay(leg));
  }

  /** Asterisk joins the other two when the one between them leaves (measured). */
  async complete(leg: LiveChannel): Promise<void> {
    const consultation = await this.underWay(leg);
    if (consultation.isAnswered) {
      await this.asterisk.hangUp(leg);
      return;
    }
    // Not so while it rings: the answer may come just now ({@link STEADY_MS}). To take the client back is safe even then (measured).
    const { context, exten } = consultation;
    if (context === undefined || exten === undefined) throw controlError('CONTROL_NOT_ANSWERED');
    await this.takeBack(leg, consultation);
    await this.asterisk.act({
      action: 'BlindTransfer',
      headers: { Channel: leg.name, Context: context, Exten: exten },
    });
  }

  private async takeBack(leg: LiveChannel, { client }: Consultation): Promise<void> {
    await this.asterisk.act({ action: 'CancelAtxfer', headers: { Channel: leg.name } });
    await this.asterisk.followTogether(leg, client, BACK_WITHIN_MS);
  }

  private async giveKeys(call: FoundCall, leg: LiveChannel): Promise<void> {
    if (!(await this.holding.canGiveKeys())) throw notPossible('noTransfer');
    await this.holding.giveKeys(call, leg);
  }

  /** The channels as they are now: taking a client back from hold has moved them. */
  private async now({ id }: LiveChannel): Promise<{ readonly call: FoundCall; readonly leg: LiveChannel }> {
    const all = await this.asterisk.channels();
    const leg = all.find((one) => one.id === id);
    if (!leg) throw notPossible('notTalking');
    return { call: callOf(leg, all), leg };
  }

  /** False: nobody listens to the keys. */
  private async press(leg: LiveChannel, { context, exten }: Place): Promise<boolean> {
    const begun = this.asterisk.listen('Hold', (event) => event.get('Uniqueid') === leg.id);
    const dialled = this.asterisk.listen('Newchannel', (event) => event.get('Linkedid') === leg.linkedid);
    const both: Listening = async (ms) => ((await begun(ms)) ? dialled(ms) : dialled(0));
    const headers = { Channel: leg.name, Context: context, Exten: exten };
    await this.asterisk.actThen({ action: 'Atxfer', headers }, both);
    if (!(await begun(BEGINS_WITHIN_MS))) {
      await dialled(0);
      return false;
    }
    if (!(await dialled(DIALS_WITHIN_MS))) throw notPossible('nobodyDialled', { seconds: DIALS_WITHIN_MS / 1000 });
    // Asterisk dials first: until the phone has moved, its next order would find it talking with the client.
    const hasMoved = (all: readonly LiveChannel[]): true | undefined => {
      const now = all.find(({ id }) => id === leg.id);
      return !now || (now.bridge !== undefined && now.bridge !== leg.bridge) || undefined;
    };
    await this.asterisk.look(hasMoved, { ms: MOVES_WITHIN_MS });
    return true;
  }

  /** Throws `CONTROL_NOT_POSSIBLE` when the phone consults nobody. */
  private async underWay({ id }: LiveChannel): Promise<Consultation> {
    let before = '';
    let waiting: LiveChannel | undefined;
    const find = (all: readonly LiveChannel[]): Consultation | 'none' | undefined => {
      const leg = all.find((one) => one.id === id);
      const channels = leg ? callOf(leg, all).channels : [];
      const client = channels.find((one) => one.id !== id && one.isUp && isAlone(all, one));
      if (!leg || !client) return 'none';
      const now = channels.map(({ name, isUp, bridge }) => `${name} ${String(isUp)} ${bridge ?? ''}`).join('\n');
      const isSteady = now === before;
      before = now;
      const [colleague, ...more] = channels.filter((one) => one.id !== id && one.bridge === leg.bridge);
      waiting = leg.bridge === undefined ? undefined : client;
      if (!isSteady || leg.bridge === undefined || !colleague) return undefined;
      const [, exten, context] = LOCAL.exec(colleague.name) ?? [];
      const place = exten === undefined || context === undefined ? {} : { exten, context };
      return { client, isAnswered: [colleague, ...more].every(({ isUp }) => isUp), ...place };
    };
    const found = await this.asterisk.look(find, { ms: MOVES_WITHIN_MS, everyMs: STEADY_MS });
    if (typeof found === 'object') return found;
    // The colleague rings without such a channel, as in the simulator, or the channels do not come to rest: phones of a group that ring in
    // turn. Whoever is parked is alone, too.
    if (found === undefined && waiting && (await this.asterisk.slotOf(waiting)) === undefined)
      return { client: waiting, isAnswered: false };
    throw notPossible('notTransferring');
  }
}
