import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AmiMessage } from '../../../lib/ami/types';
import type { RecordPayload } from '../../../lib/messages/types';
import { recordTrace, type TraceOptions } from '../../../lib/pbx/trace';
import { readPlan } from '../../../lib/replay/plan';
import { Replay } from '../../../lib/replay/replay';
import { TraceReader } from '../../../lib/replay/trace-reader';
import { amiEvent, recordedMessages } from '../../support/ami-messages';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';
import { FakeLink } from './support/fake-link';

describe('a trace', () => {
  let folder: string;
  let file: string;
  let link: FakeLink;
  let clock: FakeClock;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trace-'));
    file = join(folder, 'trace.txt');
    link = new FakeLink();
    link.up();
    clock = new FakeClock(Date.UTC(2026, 10, 20, 19, 0, 0));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const record = (options: Partial<TraceOptions> = {}) =>
    recordTrace(link, { file, seconds: 60, maxBytes: 1e6, maskNumbers: true, ...options }, clock);
  const written = (): string => readFileSync(file, 'utf8');
  /** What `telephony-crm-replay --records` makes of the file. */
  function records(): RecordPayload[] {
    const [trace, replay] = [new TraceReader(), new Replay(readPlan(''))];
    const messages = [...trace.push(readFileSync(file)), ...trace.end()];
    const told = [...messages.flatMap((message) => replay.apply(message)), ...replay.end()];
    return told.flatMap((message) => (message.topic === 'call_record' ? [message.payload] : []));
  }
  const isNoVariable = ({ name }: AmiMessage): boolean => name !== 'VarSet';
  function hear(events: readonly AmiMessage[]): void {
    for (const event of events) {
      if (event.kind !== 'event' || event.get('ActionID') !== undefined) continue;
      const headers = { ...(event.toObject() as Record<string, string>) };
      // As of an Asterisk without `timestampevents`: the time is the moment at which it is heard.
      delete headers.Timestamp;
      link.hear(event.name, headers);
      clock.advance(100);
    }
  }

  it('ends after its time, tells what is in it, and leaves nothing behind', async () => {
    const ready = record();
    link.hear('Hangup', { Privilege: 'call,all', Uniqueid: '1.1' });
    clock.advance(60_000);
    const { events, bytes } = await ready;
    link.hear('Hangup', { Privilege: 'call,all', Uniqueid: '2.2' });
    assert.deepEqual([events, bytes], [1, statSync(file).size]);
    assert.ok(written().startsWith('; 2026-11-20T19:00:00.000Z'));
    assert.ok(!written().includes('2.2'));
    assert.deepEqual([link.listening, clock.running], [0, 0]);
    assert.equal(statSync(file).mode & 0o077, 0);
  });

  it('replays to the same call, with durations, though Asterisk sent no times', async () => {
    const ready = record();
    hear(recordedMessages('inbound-answered-caller-hangs-up'));
    clock.advance(60_000);
    await ready;
    const [call, ...more] = records();
    assert.equal(more.length, 0);
    assert.deepEqual([call?.direction, call?.result, call?.talked], ['in', 'answered', ['101']]);
    assert.ok((call?.talkSeconds ?? 0) > 0);
    assert.match(call?.client?.number ?? '', /^7926[2-9]\d{6}$/);
    assert.notEqual(call?.client?.number, '79261112233');
  });

  it('has the names of recordings, which are no events to a user who does not hear of variables', async () => {
    link.recording = '/var/spool/asterisk/monitor/1795203671.96.wav';
    const ready = record();
    const recorded = recordedMessages('inbound-recorded');
    const begun = recorded.findIndex(({ name }) => name === 'MixMonitorStart') + 1;
    hear(recorded.slice(0, begun).filter(isNoVariable));
    await until(() => written().includes('MIXMONITOR_FILENAME'), 'the name');
    hear(recorded.slice(begun).filter(isNoVariable));
    clock.advance(60_000);
    await ready;
    assert.deepEqual(
      records().map(({ recording }) => recording?.file),
      [link.recording],
    );
  });

  it('begins with the calls that are under way', async () => {
    const recorded = recordedMessages('lists');
    link.channels = recorded.filter(({ name }) => name === 'CoreShowChannel');
    const ready = record();
    await until(() => link.asked.includes('CoreShowChannels'), 'the list to be asked for');
    await new Promise(setImmediate);
    hear(recorded.slice(recorded.findIndex(({ name }) => name === 'HangupRequest')));
    clock.advance(60_000);
    await ready;
    assert.deepEqual(
      records().map(({ direction, result, talked }) => [direction, result, talked]),
      [['in', 'answered', ['101']]],
    );
  });

  it('ends when the file is full or the link is closed, and hears of a link that breaks and comes back', async () => {
    const full = record({ maxBytes: 300 });
    for (let i = 0; i < 10; i++) link.hear('Hangup', { Uniqueid: `1.${i}` });
    const { events, bytes } = await full;
    assert.ok(events > 0 && events < 10);
    assert.ok(bytes <= 300 && bytes === statSync(file).size);

    rmSync(file);
    const ready = record();
    link.down();
    link.channels = [amiEvent('CoreShowChannel', { ActionID: '7', Channel: 'PJSIP/101-00000001', Uniqueid: '1.1' })];
    link.up();
    await new Promise(setImmediate);
    clock.advance(60_000);
    await ready;
    assert.match(
      written(),
      /; the link is waiting\n; the link is ready\nEvent: CoreShowChannel\r\n[^]*CoreShowChannelsComplete/,
    );
  });

  it('says so when the file cannot be written, and overwrites none', async () => {
    await assert.rejects(record({ file: join(folder, 'missing', 'trace.txt') }), /ENOENT/);
    assert.deepEqual([link.listening, clock.running], [0, 0]);
    const ready = record();
    clock.advance(60_000);
    await ready;
    await assert.rejects(record(), /EEXIST/);
  });
});
