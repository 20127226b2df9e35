import type { Channel } from '../../channel';
import { duration, orUnknown, type Header } from '../../event-format';
import { bridgeSnapshot } from '../../pbx';
import type { ActionDefinition, Office } from '../action';
import { contactFunction } from '../contacts';
import { failure, list, success, type ListItem, type Reply } from '../reply';
import type { AmiRequest } from '../request';

/** A channel by its name, or by its Uniqueid, as Asterisk finds it. */
export function findChannel({ pbx }: Office, name: string): Channel | undefined {
  return name === '' ? undefined : (pbx.channels.get(name) ?? pbx.channelByUniqueid(name));
}

function shown(channel: Channel, now: number): readonly Header[] {
  return [
    ...channel.snapshot(),
    ['Application', channel.application],
    ['ApplicationData', channel.data],
    ['Duration', duration(now - channel.createdAt)],
    ['BridgeId', channel.bridgeId],
  ];
}

function status(channel: Channel, now: number): readonly Header[] {
  return [
    ['Privilege', 'Call'],
    ...channel.snapshot(),
    ['Type', channel.device.replace(/\/.*/, '')],
    ['DNID', channel.dialled],
    ['EffectiveConnectedLineNum', orUnknown(channel.connected.num)],
    ['EffectiveConnectedLineName', orUnknown(channel.connected.name)],
    ['TimeToHangup', 0],
    ['BridgeID', channel.bridgeId],
    ['Application', channel.application],
    ['Data', channel.data],
    ['Nativeformats', '(ulaw)'],
    ['Readformat', 'ulaw'],
    ['Readtrans', ''],
    ['Writeformat', 'ulaw'],
    ['Writetrans', ''],
    ['Callgroup', 0],
    ['Pickupgroup', 0],
    ['Seconds', Math.floor((now - (channel.answeredAt ?? channel.createdAt)) / 1000)],
  ];
}

function getVariable(request: AmiRequest, office: Office): Reply {
  const name = request.get('Variable');
  const channelName = request.get('Channel');
  if (name === '') return failure('No variable specified');
  const channel = findChannel(office, channelName);
  if (channelName !== '' && !channel) return failure('No such channel');
  const value =
    placeExists(name, office) ??
    contactFunction(office.devices, name) ??
    deviceState(name, office) ??
    office.pbx.getVariable(channel, name);
  return success(undefined, ['Variable', name], ['Value', value]);
}

/** The function DIALPLAN_EXISTS; `undefined` when it is something else. */
function placeExists(name: string, { dialplan }: Office): string | undefined {
  const [, context, exten] = /^DIALPLAN_EXISTS\(([^,)]*),([^,)]*)(?:,[^)]*)?\)$/.exec(name) ?? [];
  if (context === undefined || exten === undefined) return undefined;
  return dialplan.has({ context, exten }) ? '1' : '0';
}

/** The function DEVICE_STATE, which calls a phone that does not exist invalid (measured); `undefined` when it is something else. */
function deviceState(name: string, { devices }: Office): string | undefined {
  const [, device] = /^DEVICE_STATE\(([^)]*)\)$/.exec(name) ?? [];
  if (device === undefined) return undefined;
  return devices.all().some(([known]) => known === device) ? devices.state(device) : 'INVALID';
}

function setVariable(request: AmiRequest, office: Office): Reply {
  const name = request.get('Variable');
  const value = request.get('Value');
  const channelName = request.get('Channel');
  if (name === '') return failure('No variable specified');
  const channel = findChannel(office, channelName);
  if (channelName !== '' && !channel) return failure('No such channel');
  const set = channel ? office.pbx.setVariable(channel, name, value) : office.pbx.setGlobal(name, value);
  return set ? success('Variable Set') : failure('Variable not set');
}

function hangup(request: AmiRequest, office: Office): Reply {
  const name = request.get('Channel');
  if (name === '') return failure('No channel specified');
  const channel = findChannel(office, name);
  if (!channel) return failure('No such channel');
  const cause = Number(request.get('Cause'));
  channel.interrupt({ kind: 'hangup', cause: Number.isInteger(cause) && cause > 0 ? cause : 0, byFarEnd: false });
  return success('Channel Hungup');
}

function redirect(request: AmiRequest, office: Office): Reply {
  const name = request.get('Channel');
  const extraName = request.get('ExtraChannel');
  if (name === '') return failure('Channel not specified');
  const channel = findChannel(office, name);
  if (!channel) return failure(`Channel does not exist: ${name}`);
  const extra = findChannel(office, extraName);
  if (extraName !== '' && !extra) return failure(`Channel does not exist: ${extraName}`);
  const place = (prefix: string) => ({
    context: request.get(`${prefix}Context`) || request.get('Context'),
    exten: request.get(`${prefix}Exten`) || request.get('Exten'),
  });
  // The second leg first: the first one would take it down with it.
  extra?.interrupt({ kind: 'redirect', to: place('Extra') });
  channel.interrupt({ kind: 'redirect', to: place('') });
  return success(extra ? 'Dual Redirect successful' : 'Redirect successful');
}

/** What concerns channels and bridges. */
export const channelActions: readonly ActionDefinition[] = [
  {
    name: 'CoreShowChannels',
    synopsis: 'List currently active channels.',
    classes: ['system', 'reporting'],
    run: (_request, { pbx }) => {
      const now = pbx.clock.now();
      const items = [...pbx.channels.values()].map((channel): ListItem => ({
        event: 'CoreShowChannel',
        headers: shown(channel, now),
        actionId: 'first',
      }));
      return list('Channels will follow', 'CoreShowChannelsComplete', items);
    },
  },
  {
    name: 'Status',
    synopsis: 'List channel status.',
    classes: ['system', 'call', 'reporting'],
    run: (request, office) => {
      const name = request.get('Channel');
      const channel = findChannel(office, name);
      if (name !== '' && !channel) return failure('No such channel');
      const channels = channel ? [channel] : [...office.pbx.channels.values()];
      const now = office.pbx.clock.now();
      const items = channels.map((each): ListItem => ({
        event: 'Status',
        headers: status(each, now),
        actionId: 'last',
      }));
      return list('Channel status will follow', 'StatusComplete', items, [['Items', items.length]]);
    },
  },
  {
    name: 'BridgeList',
    synopsis: 'Get a list of bridges in the system.',
    classes: [],
    run: (_request, { pbx }) => {
      const items = [...pbx.bridges.values()].map((bridge): ListItem => ({
        event: 'BridgeListItem',
        headers: bridgeSnapshot(bridge),
        actionId: 'first',
      }));
      return list('Bridge listing will follow', 'BridgeListComplete', items);
    },
  },
  {
    name: 'Getvar',
    synopsis: 'Gets a channel variable or function value.',
    classes: ['call', 'reporting'],
    run: getVariable,
  },
  {
    name: 'Setvar',
    synopsis: 'Sets a channel variable or function value.',
    classes: ['call'],
    run: setVariable,
  },
  { name: 'Hangup', synopsis: 'Hangup channel.', classes: ['system', 'call'], run: hangup },
  { name: 'Redirect', synopsis: 'Redirect (transfer) a call.', classes: ['call'], run: redirect },
  {
    name: 'AGI',
    synopsis: 'Add an AGI command to execute by Async AGI.',
    classes: ['agi'],
    run: (request, office) => {
      const name = request.get('Channel');
      const command = request.get('Command');
      if (name === '' || command === '') return failure('Both, Channel and Command are *required*');
      const channel = findChannel(office, name);
      if (!channel) return failure(`Channel ${name} does not exist.`);
      const added = office.agi.add(channel, command, request.get('CommandID') || undefined);
      return added
        ? success('Added AGI command to queue')
        : failure(`Failed to add AGI command to channel ${channel.name} queue`);
    },
  },
];
