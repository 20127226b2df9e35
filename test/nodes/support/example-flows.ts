import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowNode } from './runtime';

const folder = join(__dirname, '..', '..', '..', 'examples');

/** The file names of the examples. */
export const exampleNames = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** Those that are made for one CRM, which an admin has to fill in. */
export const exampleNamesForCrms = exampleNames.filter((name) => name.startsWith('02-cdr-export-'));

export const readExample = (name: string): FlowNode[] =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as FlowNode[];

/** What runs without Node-RED's own nodes: debug nodes listen, buttons and comments have nothing to say. */
export const runnable = (flow: readonly FlowNode[]): FlowNode[] =>
  flow
    .map((each) => (each.type === 'debug' ? { ...each, type: 'sink' } : each))
    .filter(
      ({ type }) =>
        !/^(inject|comment|function|catch|split|template|delay|json|link (in|out)|http (in|response))$/.test(type),
    );

/** The node of a type of which there is one. */
export function only(flow: readonly FlowNode[], type: string): FlowNode {
  const [found, ...more] = flow.filter((each) => each.type === type);
  assert.ok(found && more.length === 0, type);
  return found;
}

/** The debug node of a name. */
export function debugNamed(flow: readonly FlowNode[], name: string): FlowNode {
  const found = flow.find((each) => each.type === 'debug' && each.name === name);
  assert.ok(found, name);
  return found;
}
