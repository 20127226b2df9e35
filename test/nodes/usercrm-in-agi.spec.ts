import assert from 'node:assert/strict';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import type { SimulatedCallOutcome } from '../../lib/simulator/types';
import { until } from '../support/wait';
import { answer, crm, endpoint, lookup, manualFlow, routeNodes, tab } from './support/route-flow';
import {
  deploy,
  lastStatus,
  load,
  messages,
  node,
  receive,
  unload,
  waitForMessages,
  waitForStatus,
} from './support/runtime';
import type { FlowNode } from './support/runtime';

type Properties = Readonly<Record<string, unknown>>;

const FROM = '84951343060';
const DID = '74951000101';

const pbxNode: FlowNode = { id: 'pbx', type: 'ami-config', name: 'Office', mode: 'simulator', country: 'RU' };
const overAgi = { asyncAgi: true, pbx: 'pbx', protocols: [] };

const pbx = () => (node('pbx') as AmiConfigNode).pbx;
const call = (from = FROM): Promise<SimulatedCallOutcome> => {
  const { simulator } = pbx();
  assert.ok(simulator);
  return simulator.call({ from, did: DID });
};

/** The channels that wait in the dialplan of the simulated PBX, as Asterisk would list them. */
const waitingChannels = async (): Promise<number> => {
  const rows = await pbx().client.list({ action: 'CoreShowChannels' });
  return rows.filter((row) => row.get('Application') === 'AGI').length;
};

describe('usercrm-in over the AMI link', () => {
  afterEach(unload);

  const ready = () => waitForStatus('in', { fill: 'green', text: 'usercrm-in.status.ready' });
  const routed = async (more: Properties = {}, crmMore: Properties = {}, lookupMore: Properties = {}) => {
    await load(routeNodes, [
      tab,
      pbxNode,
      crm(crmMore),
      endpoint({ ...overAgi, ...more }),
      lookup({ pbx: 'pbx', ...lookupMore }),
      answer(),
    ]);
    await ready();
    await until(() => pbx().presence.availability('101', false).available, 'the states of the phones');
  };
  const manual = async (more: Properties = {}) => {
    await load(routeNodes, [pbxNode, ...manualFlow({ ...overAgi, ...more })]);
    await ready();
  };

  it('sends the call to the responsible person, with the name of the client', async () => {
    await routed();
    const outcome = await call();
    assert.equal(outcome.way, 'responsible');
    assert.deepEqual([outcome.extension, outcome.callerName, outcome.result], ['101', 'Петров АА', 'answered']);
    assert.ok(outcome.askedMs < 1000, `asked for ${outcome.askedMs} ms`);
  });

  it('lets the call of an unknown client go its normal way', async () => {
    await routed();
    const outcome = await call('84950000099');
    assert.deepEqual([outcome.way, outcome.why], ['usual', 'nobody-responsible']);
  });

  it('does not ring a phone that cannot take the call', async () => {
    await routed();
    const outcome = await call('84950000004');
    assert.deepEqual([outcome.way, outcome.why, outcome.extension], ['usual', 'nobody-responsible', undefined]);
  });

  it('goes on without a CRM that never answers', async () => {
    await routed({}, { settings: { mode: 'silent' } }, { deadline: '0.5' });
    const outcome = await call();
    assert.deepEqual([outcome.way, outcome.why], ['usual', 'nobody-responsible']);
    assert.ok(outcome.askedMs >= 450, `asked for ${outcome.askedMs} ms`);
  });

  it('hands the flow the question, and where it came from', async () => {
    await manual();
    const calling = call();
    const [message] = await waitForMessages('sink');
    const { callId, ...payload } = message?.payload as Record<string, unknown>;
    assert.deepEqual(payload, { phone: FROM, trunk: DID, protocol: 'async-agi' });
    const { id, ...usercrm } = message?.usercrm as Record<string, unknown>;
    assert.deepEqual(usercrm, { protocol: 'async-agi', action: 'route', pbx: 'Office' });
    receive('out', { payload: { extension: '105' }, usercrm: { id } });
    const outcome = await calling;
    assert.deepEqual([outcome.callId, outcome.extension], [callId, '105']);
  });

  it('sets the variables of an answer on the channel before the call goes on', async () => {
    await manual();
    const set: string[] = [];
    pbx().client.subscribe(['VarSet', 'QueueCallerJoin', 'DialBegin'], (event) => {
      const variable = event.get('Variable');
      if (event.name !== 'VarSet') set.push('goes on');
      else if (variable === 'QUEUE_PRIO') set.push(`${variable}=${event.get('Value') ?? ''}`);
    });
    const calling = call();
    const [message] = await waitForMessages('sink');
    receive('out', { payload: { extension: '101', variables: { QUEUE_PRIO: 10 } }, usercrm: message?.usercrm });
    assert.equal((await calling).extension, '101');
    assert.deepEqual(set.slice(0, 2), ['QUEUE_PRIO=10', 'goes on']);
  });

  it('tells "nobody" at the deadline, before the guard of the dialplan', async () => {
    await manual({ deadline: '0.5' });
    const outcome = await call();
    assert.deepEqual([outcome.way, outcome.why], ['usual', 'nobody-responsible']);
    assert.ok(outcome.askedMs >= 450 && outcome.askedMs < 2500, `asked for ${outcome.askedMs} ms`);
  });

  it('refuses an extension that could do more than be dialled, and the call goes on', async () => {
    await manual();
    const calling = call();
    const [message] = await waitForMessages('sink');
    receive('out', { payload: { extension: '101&PJSIP/trunk/8' }, usercrm: message?.usercrm });
    assert.equal((await calling).why, 'nobody-responsible');
    await waitForMessages('caught');
    assert.equal(messages('caught').length, 1);
  });

  it('lets the call go on at once when the answer cannot even be read', async () => {
    await manual({ deadline: '60' });
    const calling = call();
    const [message] = await waitForMessages('sink');
    const broken = {
      get extension(): string {
        throw new Error('broken getter');
      },
    };
    receive('out', { payload: broken, usercrm: message?.usercrm });
    const outcome = await calling;
    assert.deepEqual([outcome.way, outcome.why], ['usual', 'nobody-responsible']);
    assert.equal((await waitForMessages('caught')).length, 1);
  });

  it('forgets a caller who hung up while it was asked about him', async () => {
    await manual({ deadline: '60' });
    const calling = call();
    const [message] = await waitForMessages('sink');
    const rows = await pbx().client.list({ action: 'CoreShowChannels' });
    const channel = rows.find((row) => row.get('Application') === 'AGI')?.get('Channel');
    let over = false;
    const forget = pbx().client.subscribe(['Hangup'], (event) => (over ||= event.get('Channel') === channel));
    await pbx().client.action({ action: 'Hangup', headers: { Channel: channel } });
    await calling;
    await until(() => over, 'the hang-up to be heard');
    forget();
    receive('out', { payload: { extension: '101' }, usercrm: message?.usercrm });
    const [caught] = await waitForMessages('caught');
    assert.match((caught?.error as { message: string }).message, /Nobody waits/);
  });

  it('lets everybody who waits go when the flow is deployed again', async () => {
    await manual({ deadline: '60' });
    const calling = Promise.all([call(), call('84950000001')]);
    await waitForMessages('sink', 2);
    const began = performance.now();
    await deploy([pbxNode, ...manualFlow({ ...overAgi, deadline: '59' })]);
    assert.ok(performance.now() - began < 10_000);
    assert.deepEqual(
      (await calling).map(({ why }) => why),
      ['nobody-responsible', 'nobody-responsible'],
    );
  });

  it('asks about the calls that were already waiting when it came', async () => {
    // Another program shows the PBX that somebody listens; nobody answers this tag.
    await manual({ agiTag: 'somebody-else' });
    const calling = call();
    await until(async () => (await waitingChannels()) === 1, 'the channel to wait');
    assert.equal(messages('sink').length, 0);
    await deploy([pbxNode, ...manualFlow(overAgi)]);
    const [message] = await waitForMessages('sink');
    assert.equal((message?.payload as { phone: string }).phone, FROM);
    receive('out', { payload: { extension: '101' }, usercrm: message?.usercrm });
    assert.equal((await calling).way, 'responsible');
    assert.equal(messages('sink').length, 1);
  });

  it('answers once for each call, however often the flow is deployed', async () => {
    await routed();
    for (let round = 1; round <= 5; round += 1) {
      await deploy([
        tab,
        pbxNode,
        crm(),
        endpoint({ ...overAgi, name: `round ${round}` }),
        lookup({ pbx: 'pbx' }),
        answer(),
      ]);
    }
    await ready();
    let breaks = 0;
    pbx().client.subscribe(
      ['AGIExecEnd', 'AsyncAGIExec'],
      (event) => (breaks += event.name === 'AsyncAGIExec' ? 1 : 0),
    );
    assert.equal((await call()).extension, '101');
    assert.equal(breaks, 1);
  });

  it('lets one node answer a tag, and the next when that one leaves', async () => {
    const second = endpoint({ ...overAgi, id: 'second', wires: [['sink']] });
    await load(routeNodes, [pbxNode, ...manualFlow({ ...overAgi, wires: [[]] }), second]);
    await ready();
    await waitForStatus('second', { fill: 'red', text: 'usercrm-in.status.tag-taken' });
    await deploy([pbxNode, ...manualFlow(overAgi).filter(({ id }) => id !== 'in'), second]);
    await waitForStatus('second', { fill: 'green', text: 'usercrm-in.status.ready' });
    const calling = call();
    const [message] = await waitForMessages('sink');
    receive('out', { payload: { extension: '101' }, usercrm: message?.usercrm });
    assert.equal((await calling).extension, '101');
  });

  it('hands a tag on without the calls that it lets go', async () => {
    const second = endpoint({ ...overAgi, id: 'second', wires: [['sink']] });
    await load(routeNodes, [pbxNode, ...manualFlow({ ...overAgi, deadline: '60' }), second]);
    await ready();
    const calling = Promise.all([call(), call('84950000001')]);
    await waitForMessages('sink', 2);
    await deploy([pbxNode, ...manualFlow(overAgi).filter(({ id }) => id !== 'in'), second]);
    await waitForStatus('second', { fill: 'green', text: 'usercrm-in.status.ready' });
    assert.deepEqual(
      (await calling).map(({ why }) => why),
      ['nobody-responsible', 'nobody-responsible'],
    );
    // Its look for waiting calls is over when a list that it asked for after that is there.
    await pbx().client.list({ action: 'CoreShowChannels' });
    assert.equal(messages('sink').length, 2);
  });

  it('shows the state of the link, and that there is no PBX', async () => {
    await load(routeNodes, [tab, endpoint({ ...overAgi, pbx: '' })]);
    assert.match(lastStatus('in')?.text ?? '', /ami-config\.status\.missing$/);
  });
});
