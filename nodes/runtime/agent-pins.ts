import { isHash, TRIAL_PIN } from '../../lib/agents/pins';
import type { Pbx } from '../../lib/pbx/pbx';
import { defaultPhones } from '../../lib/simulator';
import { textOf } from './settings';

/** As many agents as one page can have. The dialog knows the same number. */
const MAX_AGENTS = 500;

/**
 * Names of the credentials: the hash of one PIN each, as passwords, which the browser is never told. Four digits are found in minutes by who
 * has the hash.
 */
export const pinSlots: readonly string[] = Array.from({ length: MAX_AGENTS }, (_, index) => `pin${index + 1}`);

/** As tokens can name it. */
const EXTENSION = /^[\w*#+-]{1,40}$/;

/** A line of the table in the dialog: `extension`, and `slot`, the place of its PIN among the credentials. */
export type AgentRows = readonly Readonly<Record<string, unknown>>[];

/** Extension to the hash of its PIN; and who stands in the table and has none. */
interface AgentPins {
  readonly pins: ReadonlyMap<string, string>;
  readonly without: readonly string[];
}

/** Who tries the simulator out and has set no PIN yet can sign in nevertheless. */
export function agentPins(
  rows: AgentRows,
  hashes: Readonly<Partial<Record<string, string>>>,
  { simulator }: Pbx,
): AgentPins {
  const pins = new Map<string, string>();
  const without: string[] = [];
  for (const { extension, slot } of rows) {
    const name = textOf(extension);
    const hash = hashes[`pin${textOf(slot)}`];
    if (isHash(hash) && EXTENSION.test(name)) pins.set(name, hash);
    else without.push(name);
  }
  if (pins.size > 0 || !simulator) return { pins, without };
  return { pins: new Map(defaultPhones.map((phone) => [phone.extension, TRIAL_PIN])), without };
}
