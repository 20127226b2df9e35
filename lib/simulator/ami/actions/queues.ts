import { escapeC, type Header } from '../../event-format';
import type { Queue, Queues } from '../../queues';
import type { ActionDefinition, Office } from '../action';
import { failure, list, success, type ListItem, type Reply } from '../reply';
import type { AmiRequest } from '../request';

function params(queue: Queue): Header[] {
  const taken = queue.completed > 0 ? '100.0' : '0.0';
  return [
    ['Queue', queue.name],
    ['Max', 0],
    ['Strategy', 'linear'],
    ['Calls', queue.callers.length],
    ['Holdtime', queue.holdTime],
    ['TalkTime', queue.talkTime],
    ['Completed', queue.completed],
    ['Abandoned', queue.abandoned],
    ['ServiceLevel', 20],
    ['ServicelevelPerf', taken],
    ['ServicelevelPerf2', taken],
    ['Weight', 0],
  ];
}

function entries(queue: Queue, now: number): ListItem[] {
  return queue.callers.map((caller, index): ListItem => {
    const headers: Header[] = [
      ['Queue', queue.name],
      ['Position', index + 1],
      ['Channel', caller.name],
      ['Uniqueid', caller.uniqueid],
      ['CallerIDNum', caller.caller.num || 'unknown'],
      ['CallerIDName', escapeC(caller.caller.name) || 'unknown'],
      ['ConnectedLineNum', caller.connected.num || 'unknown'],
      ['ConnectedLineName', escapeC(caller.connected.name) || 'unknown'],
      ['Wait', Math.floor((now - (caller.answeredAt ?? caller.createdAt)) / 1000)],
      ['Priority', 0],
    ];
    return { event: 'QueueEntry', headers, actionId: 'last' };
  });
}

function summary(queue: Queue, queues: Queues): Header[] {
  const loggedIn = queue.members.filter((member) => queues.status(member) !== 5);
  return [
    ['Queue', queue.name],
    ['LoggedIn', loggedIn.length],
    ['Available', loggedIn.filter((member) => queues.isFree(member)).length],
    ['Callers', queue.callers.length],
    ['HoldTime', queue.holdTime],
    ['TalkTime', queue.talkTime],
    ['LongestHoldTime', 0],
  ];
}

function queueStatus(request: AmiRequest, { queues, pbx }: Office): Reply {
  const memberName = request.get('Member');
  const items = queues.named(request.get('Queue')).flatMap((queue): ListItem[] => [
    { event: 'QueueParams', headers: params(queue), actionId: 'last' },
    ...queue.members
      .filter((member) => memberName === '' || member.interface === memberName)
      .map((member): ListItem => {
        return { event: 'QueueMember', headers: queues.memberHeaders(member, 'list'), actionId: 'last' };
      }),
    ...entries(queue, pbx.clock.now()),
  ]);
  return list('Queue status will follow', 'QueueStatusComplete', items);
}

function queueAdd(request: AmiRequest, { queues }: Office): Reply {
  const queueName = request.get('Queue');
  const interfaceName = request.get('Interface');
  if (queueName === '') return failure("'Queue' not specified.");
  if (interfaceName === '') return failure("'Interface' not specified.");
  const queue = queues.find(queueName);
  if (!queue) return failure('Unable to add interface to queue: No such queue');
  const refused = queues.add(queue, {
    interface: interfaceName,
    name: request.get('MemberName') || interfaceName,
    stateInterface: request.get('StateInterface') || interfaceName,
    membership: 'dynamic',
    penalty: Number(request.get('Penalty')) || 0,
    paused: request.isTrue('Paused'),
  });
  return refused === undefined ? success('Added interface to queue') : failure(refused);
}

function queueRemove(request: AmiRequest, { queues }: Office): Reply {
  const queueName = request.get('Queue');
  const interfaceName = request.get('Interface');
  if (queueName === '' || interfaceName === '') return failure("Need 'Queue' and 'Interface' parameters.");
  const queue = queues.find(queueName);
  if (!queue) return failure('Unable to remove interface from queue: No such queue');
  return queues.remove(queue, interfaceName)
    ? success('Removed interface from queue')
    : failure('Unable to remove interface: Not there');
}

function queuePause(request: AmiRequest, { queues }: Office): Reply {
  const interfaceName = request.get('Interface');
  if (interfaceName === '' || request.get('Paused') === '') {
    return failure("Need 'Interface' and 'Paused' parameters.");
  }
  const paused = request.isTrue('Paused');
  return queues.pause(queues.named(request.get('Queue')), interfaceName, paused, request.get('Reason'))
    ? success(`Interface ${paused ? 'paused' : 'unpaused'} successfully`)
    : failure('Interface not found');
}

function queuePenalty(request: AmiRequest, { queues }: Office): Reply {
  const interfaceName = request.get('Interface');
  const penalty = Number(request.get('Penalty'));
  if (interfaceName === '' || request.get('Penalty') === '') {
    return failure("Need 'Interface' and 'Penalty' parameters.");
  }
  return Number.isInteger(penalty) && queues.setPenalty(queues.named(request.get('Queue')), interfaceName, penalty)
    ? success('Interface penalty set successfully')
    : failure('Invalid interface, queuename or penalty');
}

/** What concerns queues and their members. */
export const queueActions: readonly ActionDefinition[] = [
  { name: 'QueueStatus', synopsis: 'Show queue status.', classes: [], run: queueStatus },
  {
    name: 'QueueSummary',
    synopsis: 'Show queue summary.',
    classes: [],
    run: (request, { queues }) => {
      const items = queues
        .named(request.get('Queue'))
        .map((queue): ListItem => ({ event: 'QueueSummary', headers: summary(queue, queues), actionId: 'last' }));
      return list('Queue summary will follow', 'QueueSummaryComplete', items);
    },
  },
  { name: 'QueueAdd', synopsis: 'Add interface to queue.', classes: ['agent'], run: queueAdd },
  { name: 'QueueRemove', synopsis: 'Remove interface from queue.', classes: ['agent'], run: queueRemove },
  {
    name: 'QueuePause',
    synopsis: 'Makes a queue member temporarily unavailable.',
    classes: ['agent'],
    run: queuePause,
  },
  {
    name: 'QueuePenalty',
    synopsis: 'Set the penalty for a queue member.',
    classes: ['agent'],
    run: queuePenalty,
  },
];
