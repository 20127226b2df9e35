import { isSettableValue, isSettableVariable } from '../channel-variables';
import { isContext } from '../outbound/channels';
import { isOneLine } from '../text';
import { badOrder } from './errors';
import {
  AGENT_ACTIONS,
  CONTROL_ACTIONS,
  type AgentOrder,
  type CallChoice,
  type ControlAction,
  type ControlOrder,
  type QueueStatusOrder,
} from './types';

/** Longest text of a field; a line of AMI holds 1024 bytes. */
const MAX_TEXT = 128;
const MAX_VARIABLES = 32;
const MAX_QUEUES = 50;
const MAX_PENALTY = 1000;

const FILE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads an order of a flow or of somebody outside: all fields flat, unknown ones left alone, each of them hostile until it was
 * looked at. Throws `CONTROL_BAD_ORDER` naming the field.
 */
export function parseOrder(payload: unknown): ControlOrder {
  const fields = typeof payload === 'object' && payload !== null ? (payload as Fields) : {};
  const action = CONTROL_ACTIONS.find((one) => one === fields.action);
  if (!action) throw badOrder('action', 'action');
  return { action, call: callIn(fields), ...targetIn(fields, action), ...detailsIn(fields, action) };
}

/**
 * As {@link parseOrder}, of an order on an agent: `action`, `extension`, `queue` (a name, several in a list, none for all), `reason`, `name`,
 * `penalty`. `undefined`: it is none, by its action.
 */
export function parseAgentOrder(payload: unknown): AgentOrder | undefined {
  const fields = typeof payload === 'object' && payload !== null ? (payload as Fields) : {};
  const action = AGENT_ACTIONS.find((one) => one === fields.action);
  if (!action) return undefined;
  const extension = textIn(fields, 'extension');
  if (extension === undefined) throw badOrder('extension', 'extension');
  const queues = queuesIn(fields);
  if (action === 'queue-login' && queues.length === 0) throw badOrder('queue', 'queue', MAX_QUEUES);
  const reason = action === 'pause' ? textIn(fields, 'reason') : undefined;
  const name = action === 'queue-login' ? textIn(fields, 'name') : undefined;
  const penalty = action === 'queue-login' ? penaltyIn(fields) : undefined;
  return {
    action,
    extension,
    queues,
    ...(reason === undefined ? {} : { reason }),
    ...(name === undefined ? {} : { name }),
    ...(penalty === undefined ? {} : { penalty }),
  };
}

/** As {@link parseAgentOrder}, of the question how queues are now: `action` = `queue-status`, `queue`. */
export function parseStatusOrder(payload: unknown): QueueStatusOrder | undefined {
  const fields = typeof payload === 'object' && payload !== null ? (payload as Fields) : {};
  return fields.action === 'queue-status' ? { action: 'queue-status', queues: queuesIn(fields) } : undefined;
}

function queuesIn(fields: Fields): readonly string[] {
  const value = Object.hasOwn(fields, 'queue') ? fields.queue : undefined;
  if (!Array.isArray(value)) {
    const one = textIn(fields, 'queue');
    return one === undefined ? [] : [one];
  }
  if (value.length === 0 || value.length > MAX_QUEUES) throw badOrder('queue', 'queue', MAX_QUEUES);
  return [
    ...new Set(
      value.map((one: unknown) => {
        const name = textIn({ queue: one }, 'queue');
        if (name === undefined) throw badOrder('queue', 'queue', MAX_QUEUES);
        return name;
      }),
    ),
  ];
}

function penaltyIn(fields: Fields): number | undefined {
  const text = textIn(fields, 'penalty');
  if (text === undefined) return undefined;
  if (!/^\d{1,4}$/.test(text) || Number(text) > MAX_PENALTY) throw badOrder('penalty', 'penalty', MAX_PENALTY);
  return Number(text);
}

function callIn(fields: Fields): CallChoice {
  const callId = textIn(fields, 'callId');
  const legId = textIn(fields, 'legId');
  const extension = textIn(fields, 'extension');
  if ((callId ?? legId ?? extension) === undefined) throw badOrder('call', 'call');
  return {
    ...(callId === undefined ? {} : { callId }),
    ...(legId === undefined ? {} : { legId }),
    ...(extension === undefined ? {} : { extension }),
  };
}

function targetIn(fields: Fields, action: ControlAction): Pick<ControlOrder, 'to' | 'context'> {
  const to = textIn(fields, 'to');
  const isNeeded = action === 'transfer' || action === 'attended-transfer' || action === 'redirect';
  if (to === undefined && isNeeded) throw badOrder('to', 'target');
  const context = action === 'redirect' ? textIn(fields, 'context') : undefined;
  if (context !== undefined && !isContext(context)) throw badOrder('context', 'context');
  return { ...(to === undefined ? {} : { to }), ...(context === undefined ? {} : { context }) };
}

function detailsIn(fields: Fields, action: ControlAction): Pick<ControlOrder, 'file' | 'variables'> {
  if (action === 'set') return { variables: variablesIn(fields.variables) };
  const file = action === 'record-start' ? textIn(fields, 'file') : undefined;
  if (file === undefined) return {};
  if (!FILE.test(file)) throw badOrder('file', 'file');
  return { file };
}

function variablesIn(value: unknown): Readonly<Record<string, string>> {
  const refuse = (): Error => badOrder('variables', 'variables', MAX_VARIABLES);
  if (typeof value !== 'object' || value === null) throw refuse();
  const entries = Object.entries(value as Fields);
  if (entries.length === 0 || entries.length > MAX_VARIABLES) throw refuse();
  return Object.fromEntries(
    entries.map(([name, one]) => {
      const text = typeof one === 'number' || typeof one === 'boolean' ? String(one) : one;
      if (!isSettableVariable(name) || typeof text !== 'string' || !isSettableValue(text)) throw refuse();
      return [name, text];
    }),
  );
}

/** A field as one line; `undefined` when it is absent or empty. */
function textIn(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined || value === null || value === '') return undefined;
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !isLine(text, MAX_TEXT)) throw badOrder(name, 'text', MAX_TEXT);
  return text.trim() === '' ? undefined : text.trim();
}

const isLine = (text: string, max: number): boolean => text.length <= max && isOneLine(text);
