import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AutocallPlayer } from '../../../lib/agi/player';
import { FakeClock } from '../../support/fake-clock';
import { AutocallLink, AutocallPbx, type AutocallChannel } from './support/autocall-pbx';

const ID = 'tcrm-a-1-1';

/** One process that plays: its link, its player, and what it was told. */
class Process {
  readonly confirmed: string[] = [];
  readonly problems: string[] = [];
  readonly ours = new Set<string>([ID]);
  readonly link: AutocallLink;
  readonly player: AutocallPlayer;

  constructor(
    pbx: AutocallPbx,
    readonly clock = new FakeClock(),
    prepare: (link: AutocallLink) => void = () => undefined,
  ) {
    this.link = new AutocallLink(pbx);
    prepare(this.link);
    this.player = new AutocallPlayer({
      client: this.link,
      clock,
      isOurs: (id) => this.ours.has(id),
      onConfirmed: (id) => this.confirmed.push(id),
      onProblem: ({ code }) => this.problems.push(code),
    });
  }

  die(): void {
    this.link.die();
    this.player.close();
  }
}

const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets everybody act until nothing is left to do. */
async function settle(pbx: AutocallPbx, channel: AutocallChannel): Promise<void> {
  do await breathe();
  while (pbx.step(channel));
  await breathe();
}

async function played(
  variables: Readonly<Record<string, string>>,
  prepare: (channel: AutocallChannel) => void = () => undefined,
) {
  const pbx = new AutocallPbx();
  const one = new Process(pbx);
  await breathe();
  const channel = pbx.add(ID, variables);
  prepare(channel);
  pbx.start(channel);
  await settle(pbx, channel);
  const { confirmed, problems } = one;
  const taken = one.player.take(ID);
  return { channel, confirmed, problems, result: typeof taken === 'object' ? taken : undefined };
}

describe('autocall player', () => {
  it('plays each file, and lets the channel go', async () => {
    const { channel, result, confirmed } = await played({ TCRM_FILES: 'a&b&c' });
    assert.deepEqual(channel.played, ['a', 'b', 'c']);
    assert.equal(channel.isInAgi, false);
    assert.deepEqual(result, { heard: 3, of: 3, confirmed: false, machine: false });
    assert.deepEqual(confirmed, []);
  });

  it('queues all at once, so that a message goes on when the process dies', async () => {
    const pbx = new AutocallPbx();
    const one = new Process(pbx);
    await breathe();
    const channel = pbx.add(ID, { TCRM_FILES: 'a&b' });
    pbx.start(channel);
    await breathe();
    one.die();
    await settle(pbx, channel);
    assert.deepEqual(channel.played, ['a', 'b']);
    assert.equal(channel.isInAgi, false);
  });

  it('plays the message after the key 1', async () => {
    const { channel, result, confirmed } = await played({ TCRM_FILES: 'a', TCRM_PROMPT: 'ask' }, ({ keys }) =>
      keys.push('1'),
    );
    assert.deepEqual(channel.played, ['ask', 'a']);
    assert.deepEqual(result, { heard: 1, of: 1, confirmed: true, machine: false });
    assert.deepEqual(confirmed, [ID]);
  });

  it('asks a second time, after another key', async () => {
    const { channel, result } = await played({ TCRM_FILES: 'a', TCRM_PROMPT: 'ask' }, ({ keys }) =>
      keys.push('7', '1'),
    );
    assert.deepEqual(channel.played, ['ask', 'ask', 'a']);
    assert.equal(result?.confirmed, true);
  });

  it('asks no third time', async () => {
    const { channel, result } = await played({ TCRM_FILES: 'a', TCRM_PROMPT: 'ask' });
    assert.deepEqual(channel.played, ['ask', 'ask']);
    assert.equal(channel.isInAgi, false);
    assert.deepEqual(result, { heard: 0, of: 1, confirmed: false, machine: false });
  });

  it('says nothing to a machine', async () => {
    const { channel, result } = await played({ TCRM_FILES: 'a', TCRM_PROMPT: 'ask', AMDSTATUS: 'MACHINE' });
    assert.deepEqual(channel.played, []);
    assert.equal(channel.isInAgi, false);
    assert.deepEqual(result, { heard: 0, of: 1, confirmed: false, machine: true });
  });

  it('does not count the file in which the client hung up, though Asterisk 16 calls it a success', async () => {
    const { result } = await played({ TCRM_FILES: 'a&b&c' }, (channel) => (channel.hangsUpIn = 'b'));
    assert.deepEqual(result, { heard: 1, of: 3, confirmed: false, machine: false });
  });

  it('knows that a client hung up while he was asked', async () => {
    const { result, problems } = await played({ TCRM_FILES: 'a', TCRM_PROMPT: 'ask' }, ({ keys }) =>
      keys.push('hang-up'),
    );
    assert.deepEqual(result, { heard: 0, of: 1, confirmed: false, machine: false });
    assert.deepEqual(problems, []);
  });

  it('tells of a file that the PBX has not, and plays the others', async () => {
    const { channel, result, problems } = await played({ TCRM_FILES: 'a&b&c' }, ({ missing }) => missing.add('b'));
    assert.deepEqual(channel.played, ['a', 'c']);
    assert.equal(result?.heard, 2);
    assert.deepEqual(problems, ['AGI_NO_SUCH_SOUND']);
  });

  it('tells of a prompt that the PBX has not', async () => {
    const { result, problems } = await played({ TCRM_FILES: 'a', TCRM_PROMPT: 'ask' }, ({ missing }) =>
      missing.add('ask'),
    );
    assert.equal(result?.confirmed, false);
    assert.deepEqual(problems, ['AGI_NO_SUCH_SOUND']);
  });

  it('knows nothing of a channel that it could not serve, and tells which permission is missing, once', async () => {
    const pbx = new AutocallPbx();
    const one = new Process(pbx, new FakeClock(), ({ denied }) => denied.add('AGI'));
    const channel = pbx.add(ID, { TCRM_FILES: 'a' });
    pbx.start(channel);
    await settle(pbx, channel);
    assert.equal(one.player.take(ID), undefined);
    assert.deepEqual(one.problems, ['AGI_PERMISSION']);
  });

  it('tells which permission is missing to find channels that wait', async () => {
    const one = new Process(new AutocallPbx(), new FakeClock(), ({ denied }) => denied.add('CoreShowChannels'));
    await breathe();
    assert.deepEqual(one.problems, ['AGI_PERMISSION']);
  });

  it('knows that a channel was not offered, once others were', async () => {
    const pbx = new AutocallPbx();
    const one = new Process(pbx);
    await breathe();
    assert.equal(one.player.take('another'), undefined);
    const channel = pbx.add(ID, { TCRM_FILES: 'a' });
    pbx.start(channel);
    await settle(pbx, channel);
    assert.deepEqual(one.player.take(ID), { heard: 1, of: 1, confirmed: false, machine: false });
    assert.equal(one.player.take('another'), 'not-offered');
    one.link.cut();
    one.link.mend();
    assert.equal(one.player.take('another'), undefined);
  });

  it('knows nothing of a message that ended while the link was down', async () => {
    const pbx = new AutocallPbx();
    const one = new Process(pbx);
    await breathe();
    const channel = pbx.add(ID, { TCRM_FILES: 'a&b' });
    pbx.start(channel);
    await breathe();
    const untilHeard = 5;
    for (let left = untilHeard; left > 0; left -= 1) pbx.step(channel);
    one.link.cut();
    while (pbx.step(channel));
    pbx.channels.delete(ID);
    one.link.mend();
    await breathe();
    assert.equal(one.player.take(ID), undefined);
  });

  it('leaves the channels of others alone, and serves one that is claimed later', async () => {
    const pbx = new AutocallPbx();
    const one = new Process(pbx);
    const other = pbx.add('tcrm-b-1-1', { TCRM_FILES: 'x' });
    const ours = pbx.add('tcrm-a-2-1', { TCRM_FILES: 'a' });
    pbx.start(other);
    pbx.start(ours);
    await one.clock.advanceAsync(1000);
    assert.deepEqual([...other.queue, ...ours.queue], []);
    one.ours.add(ours.id);
    await one.clock.advanceAsync(500);
    await settle(pbx, ours);
    assert.deepEqual(ours.played, ['a']);
    assert.deepEqual(other.queue, []);
    await one.clock.advanceAsync(60_000);
    assert.equal(one.clock.running, 0, 'it stops looking');
  });

  it('closes without a trace', async () => {
    const pbx = new AutocallPbx();
    const one = new Process(pbx);
    pbx.start(pbx.add('tcrm-b-1-1', { TCRM_FILES: 'x' }));
    await breathe();
    one.player.close();
    assert.equal(one.clock.running, 0);
    assert.equal(one.link.listeners, 0);
  });

  it('plays each file exactly once and in order, whenever processes die and links break', async () => {
    const event = fc.constantFrom('step', 'step', 'step', 'breathe', 'breathe', 'die', 'cut', 'half');
    const files = fc.integer({ min: 1, max: 4 }).map((count) => ['a', 'b', 'c', 'd'].slice(0, count));
    const run = async (names: string[], prompt: boolean, events: string[]): Promise<void> => {
      const pbx = new AutocallPbx();
      let one = new Process(pbx);
      const confirmed: string[] = [];
      await breathe();
      const channel = pbx.add(ID, { TCRM_FILES: names.join('&'), ...(prompt ? { TCRM_PROMPT: 'ask' } : {}) });
      channel.keys.push(...Array<string>(20).fill('1'));
      pbx.start(channel);
      for (const what of events) {
        if (what === 'step') pbx.step(channel);
        else if (what === 'breathe') await breathe();
        else if (what === 'half') await Promise.resolve();
        else if (what === 'cut') {
          one.link.cut();
          one.link.mend();
        } else {
          one.die();
          confirmed.push(...one.confirmed);
          one = new Process(pbx);
        }
      }
      await settle(pbx, channel);
      assert.deepEqual(
        channel.played.filter((file) => file !== 'ask'),
        names,
      );
      assert.equal(channel.isInAgi, false, 'it is let go');
      const result = one.player.take(ID);
      // A process that came after the channel was let go knows nothing, and says so.
      if (result)
        assert.deepEqual(result, { heard: names.length, of: names.length, confirmed: prompt, machine: false });
      if (prompt && result) assert.ok([...confirmed, ...one.confirmed].length > 0);
    };
    await fc.assert(fc.asyncProperty(files, fc.boolean(), fc.array(event, { maxLength: 40 }), run), { numRuns: 500 });
  });
});
