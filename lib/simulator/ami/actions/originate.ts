import type { Order } from '../../originate';
import { parseCallerId } from '../../pbx';
import type { ActionDefinition, Asker, Office } from '../action';
import { failure, success, type Reply } from '../reply';
import type { AmiRequest } from '../request';

const QUEUED = 'Originate successfully queued';
const DEFAULT_TIMEOUT_MS = 30_000;

/** Applications that run programs or code: Asterisk wants the class `system` for them. */
const dangerous = /^(?:system|trysystem|agi|deadagi|eagi|exec|execif|tryexec|mixmonitor|originate)$/i;

/**
 * Splits `A=1,B="x,y"`: a comma divides unless it is quoted or in parentheses; a backslash takes the next character as it is;
 * a name without `=` is dropped (measured).
 */
function splitVariables(text: string): [name: string, value: string][] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '(') depth++;
    if (character === ')' && depth > 0) depth--;
    if (character === '\\') part += text.charAt(++at);
    else if (character === '"') quoted = !quoted;
    else if (character !== ',' || quoted || depth > 0) part += character;
    else {
      parts.push(part);
      part = '';
    }
  }
  return [...parts, part]
    .filter((assignment) => assignment.includes('='))
    .map((assignment) => {
      const equals = assignment.indexOf('=');
      return [assignment.slice(0, equals), assignment.slice(equals + 1)];
    });
}

/** The order, or why Asterisk refuses it at once. */
function orderOf(request: AmiRequest, office: Office, asker: Asker): Order | string {
  const channel = request.get('Channel');
  const application = request.get('Application');
  const place = { context: request.get('Context'), exten: request.get('Exten') };
  const priority = request.get('Priority');
  const timeout = request.get('Timeout');
  if (channel === '') return 'Channel not specified';
  if (priority !== '' && !/^\d+$/.test(priority)) return 'Invalid priority';
  if (timeout !== '' && !/^\d+$/.test(timeout)) return 'Invalid timeout';
  if (!/^[^/]+\/.+/.test(channel)) return 'Invalid channel';
  if (dangerous.test(application) && !asker.write.has('system')) {
    return 'Originate Access Forbidden: app or data blacklisted';
  }
  if (application === '') {
    if (place.exten === '' || place.context === '' || priority === '') {
      return "Originate with 'Exten' requires 'Context' and 'Priority'";
    }
    if (!office.dialplan.has(place)) return 'Extension does not exist.';
  }
  const callerId = request.get('CallerID');
  return {
    channel,
    actionId: request.get('ActionID'),
    to: application === '' ? place : { application, data: request.get('Data') },
    timeoutMs: timeout === '' ? DEFAULT_TIMEOUT_MS : Number(timeout),
    callerId: callerId === '' ? undefined : parseCallerId(callerId),
    account: request.get('Account'),
    channelId: request.get('ChannelId'),
    variables: request.all('Variable').flatMap(splitVariables),
  };
}

function originate(request: AmiRequest, office: Office, asker: Asker): Reply | Promise<Reply> {
  const order = orderOf(request, office, asker);
  if (typeof order === 'string') return failure(order);
  if (!request.isTrue('Async')) {
    return office.originator
      .originate(order)
      .then((answered) => (answered ? success(QUEUED) : failure('Originate failed')));
  }
  office.originator.originateLater(order);
  return success(QUEUED);
}

export const originateActions: readonly ActionDefinition[] = [
  { name: 'Originate', synopsis: 'Originate a call.', classes: ['originate'], run: originate },
];
