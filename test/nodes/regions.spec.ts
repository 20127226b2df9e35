import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueueMessage } from '../../lib/messages/queues';
import type { PbxMessage } from '../../lib/messages/types';
import amiConfig from '../../nodes/ami-config';
import ami from '../../nodes/ami-event';
import queueEvent from '../../nodes/queue-event';
import type { AmiConfigNode } from '../../nodes/runtime/config-nodes';
import { until } from '../support/wait';
import { deploy, load, logLines, messages, node, unload, type FlowNode } from './support/runtime';
import { UserDir } from './support/store-flow';

const REGISTRY = `АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН
903;1110000;1119999;10000;ПАО "ВымпелКом";г. Омск|Омская область;;7713076301
`;

describe('region of the client', () => {
  let user: UserDir;
  beforeEach(() => (user = new UserDir()));
  afterEach(async () => {
    await unload();
    user.remove();
  });

  const flow = (regions: string): FlowNode[] => [
    { id: 'tab', type: 'tab' },
    { id: 'pbx', type: 'ami-config', name: 'office', mode: 'simulator', country: 'RU', regions },
    { id: 'queue', type: 'queue-event', z: 'tab', pbx: 'pbx', line24: true, wires: [['queues']] },
    { id: 'call', type: 'ami-event', z: 'tab', pbx: 'pbx', mode: 'calls', wires: [['calls']] },
    ...['queues', 'calls'].map((id) => ({ id, type: 'sink', z: 'tab', wires: [] })),
  ];
  const start = (regions: string) => load([user.init, amiConfig, ami, queueEvent], flow(regions));
  const pbx = () => (node('pbx') as AmiConfigNode).pbx;
  const isLogged = (text: RegExp, level: string) =>
    until(() => logLines('pbx').some((line) => line.level === level && text.test(line.text)), String(text));
  const call = async (from: string): Promise<void> => {
    await until(() => pbx().queues.stats.members > 0, 'the members');
    await pbx().simulator!.call({ from, did: '74951000170' });
    await until(() => came('calls').some(({ topic }) => topic === 'call_record'), 'the record', 25_000);
  };
  const came = (id: string) =>
    messages(id) as unknown as readonly ((QueueMessage | PbxMessage) & { variables?: Record<string, string> })[];
  const clients = (id: string) => came(id).flatMap(({ payload }) => ('client' in payload ? [payload.client] : []));

  it('is told by the registry in the user directory, in calls, records and queues', async () => {
    writeFileSync(join(user.path, 'registry.csv'), REGISTRY);
    await start('registry.csv');
    await isLogged(/regions is read: 1 rows \(1 left out\)/, 'info');
    const region = { country: 'RU', name: 'Omsk Oblast', timeZone: 'Asia/Omsk' };
    const over = call('79031112233');
    await until(() => pbx().calls.current.length > 0, 'the call');
    for (const { payload } of pbx().calls.current) assert.deepEqual(payload.client?.region, region);
    await over;
    for (const id of ['calls', 'queues']) {
      assert.ok(clients(id).length > 1, id);
      for (const client of clients(id)) assert.deepEqual(client.region, region);
    }
    const answer = came('queues').find(({ topic }) => topic === 'agent-answer');
    assert.ok(answer && 'at' in answer.payload);
    const hour = (new Date(answer.payload.at).getUTCHours() + 6) % 24;
    assert.equal(answer.variables?.region_name, 'Omsk Oblast');
    assert.equal(answer.variables.region_time?.slice(0, 2), String(hour).padStart(2, '0'));
  });

  it('is told by the area code without a table; a mobile number has only a country', async () => {
    await start('');
    await call('79031112233');
    assert.deepEqual(clients('calls').at(-1)?.region, { country: 'RU' });
    assert.equal(came('queues')[0]?.variables?.region_name, '');
    const before = clients('queues').length;
    await pbx().simulator!.call({ from: '73432345678', did: '74951000170' });
    await until(() => clients('queues').length > before, 'the second call');
    assert.equal(clients('queues').at(-1)?.region?.name, 'Sverdlovsk Oblast');
  });

  it('that cannot be read from the table is a warning in words, and calls go on', async () => {
    await start('nowhere.csv');
    await isLogged(/nowhere\.csv is not used: There is no such file/, 'warn');
    mkdirSync(join(user.path, 'folder'));
    await deploy(flow('folder'), 'nodes');
    await isLogged(/folder is not used: It is no file/, 'warn');
    writeFileSync(join(user.path, 'empty.csv'), 'Регион\n');
    await deploy(flow(join(user.path, 'empty.csv')), 'nodes');
    await isLogged(/empty\.csv is not used: The table of regions has no row/, 'warn');
    await call('74951343060');
    assert.equal(clients('calls').at(-1)?.region?.name, 'Moscow');
  });
});
