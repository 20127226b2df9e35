import type { Channel } from '../../channel';
import { parkedHeaders } from '../../conversations';
import type { ActionDefinition, Office } from '../action';
import { failure, list, success, type ListItem, type Reply } from '../reply';
import type { AmiRequest } from '../request';
import { findChannel } from './channels';

const RECORDINGS = '/var/spool/asterisk/monitor';

/** Recordings that run on a channel. */
const recordings = new WeakMap<Channel, number>();

/** Does something with a channel that exists. */
const withChannel =
  (run: (channel: Channel, request: AmiRequest, office: Office) => Reply): ActionDefinition['run'] =>
  (request, office) => {
    const name = request.get('Channel');
    if (name === '') return failure('Channel not specified');
    const channel = findChannel(office, name);
    return channel ? run(channel, request, office) : failure(`Channel does not exist: ${name}`);
  };

function place(request: AmiRequest, channel: Channel): { readonly context: string; readonly exten: string } {
  return { context: request.get('Context') || channel.context, exten: request.get('Exten') };
}

function bridge(request: AmiRequest, office: Office): Reply {
  const [one, other] = ['Channel1', 'Channel2'].map((header) => findChannel(office, request.get(header)));
  if (!one) return failure('Channel1 does not exist');
  if (!other) return failure('Channel2 does not exist');
  if (one === other || one.state !== 'Up' || other.state !== 'Up') return failure('Unable to bridge the channels');
  office.conversations.join(one, other);
  return success('Channels have been bridged');
}

/** What concerns people who talk: classes and answers as measured on Asterisk 22.10. */
export const controlActions: readonly ActionDefinition[] = [
  { name: 'Bridge', synopsis: 'Bridge two channels already in the PBX.', classes: ['call'], run: bridge },
  {
    name: 'BlindTransfer',
    synopsis: 'Blind transfer channel(s) to the given destination',
    classes: ['call'],
    run: withChannel((channel, request, { conversations }) => {
      const client = conversations.partnerOf(channel);
      if (!client) return failure('Transfer failed. Transferer is not bridged');
      conversations.blindTransfer(channel, client, place(request, channel));
      return success('Transfer succeeded');
    }),
  },
  {
    name: 'Atxfer',
    synopsis: 'Attended transfer.',
    classes: ['call'],
    run: withChannel((channel, request, { conversations }) => {
      const client = conversations.partnerOf(channel);
      if (client) conversations.attendedTransfer(channel, client, place(request, channel));
      return success('Atxfer successfully queued');
    }),
  },
  {
    name: 'CancelAtxfer',
    synopsis: 'Cancel an attended transfer.',
    classes: ['call'],
    run: withChannel((channel, _request, { conversations }) => {
      conversations.cancelTransfer(channel);
      return success('CancelAtxfer successfully queued');
    }),
  },
  {
    name: 'Park',
    synopsis: 'Park a channel.',
    classes: ['call'],
    run: withChannel((channel, request, { conversations }) => {
      const parker = request.get('TimeoutChannel').replace(/-[^-]*$/, '');
      return conversations.park(channel, parker) ? success('Park successful') : failure('Park failed');
    }),
  },
  {
    name: 'ParkedCalls',
    synopsis: 'List parked calls.',
    classes: [],
    run: (_request, { pbx, conversations }) => {
      const items = [...conversations.parked.values()].map((parked): ListItem => ({
        event: 'ParkedCall',
        headers: parkedHeaders(parked, pbx.clock.now()),
        actionId: 'last',
      }));
      return list('Parked calls will follow', 'ParkedCallsComplete', items, [['Total', items.length]]);
    },
  },
  {
    name: 'MuteAudio',
    synopsis: 'Mute an audio stream.',
    classes: ['system'],
    run: withChannel(() => success()),
  },
  {
    name: 'PJSIPNotify',
    synopsis: 'Send a NOTIFY to either an endpoint, an arbitrary URI, or inside a SIP dialog.',
    classes: ['system'],
    run: withChannel((channel, request, { conversations }) => {
      const event = request
        .all('Variable')
        .map((one) => /^Event=(hold|talk)$/.exec(one)?.[1])
        .find((one) => one !== undefined);
      if (event !== undefined) conversations.phoneHold(channel, event === 'hold');
      return success('NOTIFY sent');
    }),
  },
  {
    name: 'MixMonitor',
    synopsis: 'Record a call and mix the audio during the recording.',
    classes: ['system'],
    run: withChannel((channel, request, { pbx }) => {
      const file = request.get('File') || `${channel.name.replace('/', '-')}.wav`;
      recordings.set(channel, (recordings.get(channel) ?? 0) + 1);
      pbx.setVariable(channel, 'MIXMONITOR_FILENAME', file.startsWith('/') ? file : `${RECORDINGS}/${file}`);
      pbx.tell('MixMonitorStart', channel);
      return success();
    }),
  },
  {
    name: 'StopMixMonitor',
    synopsis: "Stop recording a call through MixMonitor, and free the recording's file handle.",
    classes: ['system', 'call'],
    run: withChannel((channel, _request, { pbx }) => {
      const count = recordings.get(channel) ?? 0;
      if (count === 0) return failure('Could not stop monitoring channel');
      recordings.set(channel, count - 1);
      pbx.tell('MixMonitorStop', channel);
      return success();
    }),
  },
  {
    name: 'MixMonitorMute',
    synopsis: 'Mute / unMute a Mixmonitor recording.',
    classes: ['system', 'call'],
    run: withChannel((channel, request, { pbx }) => {
      const told = ['Direction', 'State'].map((name) => [name, request.get(name)] as const);
      pbx.tell('MixMonitorMute', channel, told);
      return success();
    }),
  },
];
