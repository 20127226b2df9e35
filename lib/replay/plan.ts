import { asError, TelephonyError, type Text } from '../errors';
import { numberingPlan } from '../phone';
import { replayError } from './errors';
import type { ReplayOptions } from './replay';

/** The shape of a plan file, as `--help` shows it. */
export const PLAN_HELP = `{
  "name": "office",               name of the PBX in the output (default: replay)
  "country": "RU",                two letters (default: RU)
  "extensions": "1XX, 201-299",   which numbers are extensions (default: 1 to 6 digits)
  "trunks": ["provider"],         endpoint names of the trunks (default: guessed)
  "trunkContexts": ["from-trunk"],contexts in which calls from outside begin (default: the usual names)
  "variables": ["CRM_ID"]         channel variables to carry (default: none)
}`;

const TEXTS = ['name', 'country', 'extensions'];
const LISTS = ['trunks', 'trunkContexts', 'variables'];

/** Reads the text of a plan file; without one the defaults of `ami-config` hold. Throws `REPLAY_BAD_PLAN`. */
export function readPlan(file: string, text = '{}'): ReplayOptions {
  const bad = ({ en, ru }: Text, cause?: unknown): Error =>
    replayError('REPLAY_BAD_PLAN', { file, problemEn: en, problemRu: ru }, cause);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (thrown) {
    const words = asError(thrown).message.slice(0, 100);
    throw bad({ en: `it is no JSON (${words}).`, ru: `это не JSON (${words}).` }, thrown);
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw bad({ en: 'it is no JSON object.', ru: 'это не объект JSON.' });
  }
  const plan = read as Record<string, unknown>;
  for (const [key, value] of Object.entries(plan)) {
    if (TEXTS.includes(key) ? typeof value !== 'string' : !(LISTS.includes(key) && isTexts(value))) {
      const name = key.slice(0, 40);
      throw bad({ en: `"${name}" is unknown or of the wrong type.`, ru: `«${name}» неизвестно или не того типа.` });
    }
  }
  const list = (key: string): readonly string[] => [(plan[key] ?? []) as string | string[]].flat();
  const textOf = (key: string, usual: string): string => (plan[key] as string | undefined) ?? usual;
  try {
    const numbers = numberingPlan({ country: textOf('country', 'RU'), extensionPattern: textOf('extensions', '') });
    const trunks = list('trunks').map((name) => name.replace(/^\w+\//, ''));
    return {
      name: textOf('name', 'replay'),
      plan: { numbers, trunks, trunkContexts: list('trunkContexts') },
      variables: list('variables'),
    };
  } catch (thrown) {
    if (!(thrown instanceof TelephonyError)) throw thrown;
    throw bad({ en: thrown.message, ru: thrown.textIn('ru') }, thrown);
  }
}

function isTexts(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}
