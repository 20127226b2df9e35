import { resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import type { TelephonyError } from '../../lib/errors';
import { Regions } from '../../lib/pbx/regions';
import type { RegionOf } from '../../lib/pbx/regions';
import { badSettings } from '../../lib/pbx/errors';
import { FieldReader } from './field-reader';
import { languageOf } from './language';
import { onClose } from './lifecycle';
import { userDir } from './user-folder';

/** What the dialog of `ami-config` says of where clients are from. */
export interface RegionsDef {
  /** The file of a table of regions, absolute or in Node-RED's user directory; empty = area codes only. */
  readonly regions?: string;
}

const MAX_PATH = 1000;

/**
 * Where clients are from, in the language of the runtime. A table is read while calls go on; what is wrong with it goes to `onProblem`,
 * and regions are then told without it.
 */
export function offerRegions(
  red: NodeAPI,
  node: Node,
  { regions: file }: RegionsDef,
  onProblem: (problem: TelephonyError) => void,
): RegionOf {
  const regions = new Regions(languageOf(red, node.type));
  const ending = new AbortController();
  onClose(red, node, () => ending.abort());
  const load = async (): Promise<void> => {
    const fields = new FieldReader(node.name ?? node.type, badSettings);
    const path = fields.text({ en: 'Regions', ru: 'Регионы' }, file, MAX_PATH);
    if (path === '') return;
    const table = await regions.load(resolve(userDir(red), path), ending.signal);
    if (table) node.log(red._('ami-config.log.regions', { rows: table.size, skipped: table.skipped }));
  };
  load().catch(onProblem);
  return (e164) => regions.of(e164);
}
