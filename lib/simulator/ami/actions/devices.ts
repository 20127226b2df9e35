import { hintHeaders, TRUNK, type DeviceState } from '../../devices';
import type { Header } from '../../event-format';
import type { ActionDefinition, Office } from '../action';
import { failure, list, success, type ListItem } from '../reply';

/** Device states as PJSIPShowEndpoints words them (measured). */
const wording: Readonly<Record<DeviceState, string>> = {
  NOT_INUSE: 'Not in use',
  INUSE: 'In use',
  BUSY: 'Busy',
  UNAVAILABLE: 'Unavailable',
  RINGING: 'Ringing',
  RINGINUSE: 'Ring+Inuse',
};

const TRUNK_CONTACT = 'sip:127.0.0.1:5070';

interface Endpoint {
  readonly name: string;
  readonly device: string;
  readonly contact: string | undefined;
}

function endpoints({ devices }: Office): Endpoint[] {
  const phones = [...devices.phones.values()].map(({ extension, device, contact, rule }): Endpoint => ({
    name: extension,
    device,
    contact: rule === 'unregistered' ? undefined : contact,
  }));
  return [...phones, { name: 'trunk', device: TRUNK, contact: TRUNK_CONTACT }];
}

function endpointHeaders({ name, device, contact }: Endpoint, { pbx, devices }: Office): Header[] {
  const active = [...pbx.channels.values()].filter((channel) => channel.device === device).length;
  return [
    ['ObjectType', 'endpoint'],
    ['ObjectName', name],
    ['Transport', 'udp'],
    ['Aor', name],
    ['Auths', device === TRUNK ? '' : name],
    ['OutboundAuths', ''],
    ['Contacts', contact === undefined ? '' : `${name}/${contact},`],
    ['DeviceState', wording[devices.state(device)]],
    ['ActiveChannels', active],
  ];
}

function contactHeaders(name: string, contact: string, now: number): Header[] {
  return [
    ['ObjectType', 'contact'],
    ['ObjectName', `${name};@${Buffer.from(contact).toString('hex').slice(-32).padStart(32, '0')}`],
    ['ViaAddr', '127.0.0.1'],
    ['QualifyTimeout', '3.000000'],
    ['Qualify2xxOnly', 'false'],
    ['CallId', `simulator-${name}`],
    ['RegServer', ''],
    ['PruneOnBoot', 'no'],
    ['Path', ''],
    ['Endpoint', name],
    ['ViaPort', 5060],
    ['AuthenticateQualify', 'no'],
    ['Uri', contact],
    ['QualifyFrequency', 0],
    ['UserAgent', ''],
    ['ExpirationTime', Math.floor(now / 1000) + 3600],
    ['OutboundProxy', ''],
    ['Status', 'NonQualified'],
    ['RoundtripUsec', 'N/A'],
  ];
}

/** What concerns phones and their states. */
export const deviceActions: readonly ActionDefinition[] = [
  {
    name: 'DeviceStateList',
    synopsis: 'List the current known device states.',
    classes: ['call', 'reporting'],
    run: (_request, { devices }) => {
      const items = devices.all().map(([device, state]): ListItem => {
        const headers: Header[] = [
          ['Device', device],
          ['State', state],
        ];
        return { event: 'DeviceStateChange', headers, actionId: 'first' };
      });
      return list('Device State Changes will follow', 'DeviceStateListComplete', items);
    },
  },
  {
    name: 'ExtensionStateList',
    synopsis: 'List the current known extension states.',
    classes: ['call', 'reporting'],
    run: (_request, { devices }) => {
      const items = devices
        .extensions()
        .map((hint): ListItem => ({ event: 'ExtensionStatus', headers: hintHeaders(hint), actionId: 'first' }));
      return list('Extension Statuses will follow', 'ExtensionStateListComplete', items);
    },
  },
  {
    name: 'ExtensionState',
    synopsis: 'Check Extension Status.',
    classes: ['call', 'reporting'],
    run: (request, { devices }) => {
      const exten = request.get('Exten');
      if (exten === '') return failure('Extension not specified');
      const hint = devices.extensions().find((candidate) => candidate.exten === exten);
      const found = hint ?? { exten, hint: '', status: -1, text: 'Unknown' };
      return success('Extension Status', ...hintHeaders(found));
    },
  },
  {
    name: 'PJSIPShowEndpoints',
    synopsis: 'Lists PJSIP endpoints.',
    classes: ['system'],
    run: (_request, office) => {
      const items = endpoints(office).map((endpoint): ListItem => ({
        event: 'EndpointList',
        headers: endpointHeaders(endpoint, office),
        actionId: 'first',
      }));
      return list('A listing of Endpoints follows, presented as EndpointList events', 'EndpointListComplete', items);
    },
  },
  {
    name: 'PJSIPShowContacts',
    synopsis: 'Lists PJSIP Contacts.',
    classes: ['system'],
    run: (_request, office) => {
      const now = office.pbx.clock.now();
      // The trunk's contact is configured, not registered: Asterisk does not list it (measured).
      const items = endpoints(office).flatMap(({ name, device, contact }): ListItem[] =>
        contact === undefined || device === TRUNK
          ? []
          : [{ event: 'ContactList', headers: contactHeaders(name, contact, now), actionId: 'first' }],
      );
      if (items.length === 0) return failure('No Contacts found\r\n');
      return list('A listing of Contacts follows, presented as ContactList events', 'ContactListComplete', items);
    },
  },
];
