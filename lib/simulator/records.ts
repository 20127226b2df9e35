import type { Channel } from './channel';
import { escapeC, localTime } from './event-format';
import type { Pbx } from './pbx';

export type Disposition = 'ANSWERED' | 'BUSY' | 'NO ANSWER' | 'FAILED';

interface Attempt {
  readonly application: string;
  readonly data: string;
  readonly destination: string;
  readonly disposition: Disposition;
  readonly answeredAt: number | undefined;
  readonly endedAt: number;
}

/** Asterisk's own call records (`Cdr`, with `unanswered = yes`): one for every attempt of a call, told when the call ends. */
export class CallRecords {
  private readonly attempts = new WeakMap<Channel, Attempt[]>();
  private sequence = 0;

  constructor(private readonly pbx: Pbx) {}

  /** Notes how what the channel does now (Dial, Queue, Originate) ended. */
  note(channel: Channel, destination: Channel | undefined, disposition: Disposition): void {
    const known = this.attempts.get(channel);
    const attempt: Attempt = {
      application: channel.application,
      data: channel.data,
      destination: destination?.name ?? '',
      disposition,
      answeredAt: disposition === 'ANSWERED' ? (destination?.answeredAt ?? channel.answeredAt) : undefined,
      endedAt: this.pbx.clock.now(),
    };
    if (known) known.push(attempt);
    else this.attempts.set(channel, [attempt]);
  }

  /** Tells all records of a channel that is about to end. */
  tell(channel: Channel): void {
    const attempts = this.attempts.get(channel) ?? [];
    // An application after the last attempt (the IVR after a Dial that failed) gets a record of its own.
    if (attempts.at(-1)?.application !== channel.application) {
      this.note(channel, undefined, channel.state === 'Up' ? 'ANSWERED' : 'NO ANSWER');
    }
    let startedAt = channel.createdAt;
    for (const attempt of this.attempts.get(channel) ?? []) {
      this.tellOne(channel, attempt, startedAt);
      startedAt = attempt.endedAt;
    }
    this.attempts.delete(channel);
  }

  private tellOne(channel: Channel, attempt: Attempt, startedAt: number): void {
    const seconds = (from: number): number => Math.floor(attempt.endedAt / 1000) - Math.floor(from / 1000);
    this.pbx.emit('Cdr', 'cdr', [
      ['AccountCode', channel.accountCode],
      ['Source', channel.caller.num],
      ['Destination', channel.exten],
      ['DestinationContext', channel.context],
      ['CallerID', `"${escapeC(channel.caller.name)}" <${channel.caller.num}>`],
      ['Channel', channel.name],
      ['DestinationChannel', attempt.destination],
      ['LastApplication', attempt.application],
      ['LastData', attempt.data],
      ['StartTime', localTime(startedAt)],
      ['AnswerTime', attempt.answeredAt === undefined ? '' : localTime(attempt.answeredAt)],
      ['EndTime', localTime(attempt.endedAt)],
      ['Duration', seconds(startedAt)],
      ['BillableSeconds', attempt.answeredAt === undefined ? 0 : seconds(attempt.answeredAt)],
      ['Disposition', attempt.disposition],
      ['AMAFlags', 'DOCUMENTATION'],
      ['UniqueID', channel.uniqueid],
      ['UserField', ''],
      ['LinkedID', channel.linkedid],
      ['PeerAccount', ''],
      ['Sequence', this.sequence++],
    ]);
  }
}
