import { versions } from '../../defaults';
import { epochSeconds, localClock, localDate, type Header } from '../../event-format';
import type { ActionDefinition } from '../action';
import { failure, success } from '../reply';

const command: ActionDefinition = {
  name: 'Command',
  synopsis: 'Execute Asterisk CLI Command.',
  classes: ['command'],
  run: (request, { pbx }) => {
    const text = request.get('Command').trim();
    if (text === '') return failure('No command provided');
    const output = (lines: readonly string[]): Header[] => [
      ['Message', 'Command output follows'],
      ...lines.map((line): Header => ['Output', line]),
    ];
    switch (text.replace(/\s+/g, ' ')) {
      case 'core show version':
        return success(undefined, ...output([`Asterisk ${versions.asterisk} built into Node-RED`]));
      case 'core show channels count':
        return success(
          undefined,
          ...output([
            `${pbx.channels.size} active channels`,
            `${new Set([...pbx.channels.values()].map((channel) => channel.linkedid)).size} active calls`,
            `${pbx.processedCalls} calls processed`,
          ]),
        );
      default:
        return {
          response: 'Error',
          headers: output([
            `No such command '${text}' (type 'core show help ${text.split(' ').slice(0, 2).join(' ')}' for other possible commands)`,
          ]),
        };
    }
  },
};

/** What concerns the whole PBX. */
export const coreActions: readonly ActionDefinition[] = [
  {
    name: 'Ping',
    synopsis: 'Keepalive command.',
    classes: [],
    run: (_request, { pbx }) => success(undefined, ['Ping', 'Pong'], ['Timestamp', epochSeconds(pbx.clock.now())]),
  },
  {
    name: 'Events',
    synopsis: 'Control Event Flow.',
    classes: [],
    run: (request, _office, asker) => {
      const mask = request.get('EventMask');
      if (mask === '') return failure('Invalid event mask');
      return success(undefined, ['Events', asker.setEventMask(mask) ? 'On' : 'Off']);
    },
  },
  {
    name: 'CoreStatus',
    synopsis: 'Show PBX core status variables.',
    classes: ['system', 'reporting'],
    run: (_request, { pbx }) =>
      success(
        undefined,
        ['CoreStartupDate', localDate(pbx.startedAt)],
        ['CoreStartupTime', localClock(pbx.startedAt)],
        ['CoreReloadDate', localDate(pbx.startedAt)],
        ['CoreReloadTime', localClock(pbx.startedAt)],
        ['CoreCurrentCalls', new Set([...pbx.channels.values()].map((channel) => channel.linkedid)).size],
        ['CoreProcessedCalls', pbx.processedCalls],
      ),
  },
  {
    name: 'CoreSettings',
    synopsis: 'Show PBX core settings (version etc).',
    classes: ['system', 'reporting'],
    run: () =>
      success(
        undefined,
        ['AMIversion', versions.ami],
        ['AsteriskVersion', versions.asterisk],
        ['SystemName', ''],
        ['CoreMaxCalls', 0],
        ['CoreMaxLoadAvg', '0.000000'],
        ['CoreRunUser', ''],
        ['CoreRunGroup', ''],
        ['CoreMaxFilehandles', 0],
        ['CoreRealTimeEnabled', 'No'],
        ['CoreCDRenabled', 'Yes'],
        ['CoreHTTPenabled', 'No'],
        ['SoundsSearchCustomDir', 'No'],
      ),
  },
  command,
  {
    name: 'UserEvent',
    synopsis: 'Send an arbitrary event.',
    classes: ['user'],
    run: (request, { pbx }) => {
      const own = new Set(['action', 'userevent']);
      const body = request.headers.filter(([name]) => !own.has(name.toLowerCase()));
      pbx.emit('UserEvent', 'user', [['UserEvent', request.get('UserEvent')], ...body]);
      return success('Event Sent');
    },
  },
];
