import jsonata from 'jsonata';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { badSettings, expressionFailed } from './errors';
import { oneLine } from './json';

/**
 * JSONata computes without pause, so that this is how long the whole process may stand still for one expression, in ms.
 * Reading a field of a large answer takes less than a tenth of it.
 */
const TIME_MS = 200;
/** Deepest nesting of calls, and the longest list that an expression may build. */
const DEPTH = 300;
const LENGTH = 100_000;
/** Cut off, as JSONata calls it. It goes by the wall clock, which also runs while a busy machine has no processor for this process. */
const TIMED_OUT = 'D1012';
/** Computing for less than this is not what took the time. */
const COMPUTED_MS = TIME_MS / 2;
const EVALUATIONS = 3;

export interface Expression {
  /** The value; `undefined` when there is none. Rejects with `CRM_EXPRESSION`. */
  evaluate(input: unknown, variables: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** JSONata throws plain objects with a text. */
const messageOf = (thrown: unknown): string => {
  const message = (thrown as { message?: unknown } | undefined)?.message;
  return oneLine(typeof message === 'string' ? message : String(thrown), 200);
};

/**
 * Reads a JSONata expression (a plain path like `data.items[0].name` is one). It is cut off when it runs too long, too
 * deep or builds too much; a regular expression in it that backtracks without end is not, so avoid such.
 * Throws `CRM_BAD_SETTINGS` when it is none.
 */
export function compileExpression(field: string, text: string): Expression {
  let compiled: jsonata.Expression;
  try {
    compiled = jsonata(text, { timeout: TIME_MS, stack: DEPTH, sequence: LENGTH });
  } catch (thrown) {
    const problem = messageOf(thrown);
    throw badSettings(field, { en: `this is no JSONata: ${problem}`, ru: `это не JSONata: ${problem}` });
  }
  return {
    async evaluate(input, variables) {
      for (let more = EVALUATIONS - 1; ; more--) {
        // Between two evaluations the deadlines of the calls get their turn.
        await nextTurn();
        const before = process.cpuUsage();
        try {
          return (await compiled.evaluate(input, variables)) as unknown;
        } catch (thrown) {
          const { user, system } = process.cpuUsage(before);
          const hasComputed = (user + system) / 1000 >= COMPUTED_MS;
          const isTimeOut = (thrown as { code?: unknown } | undefined)?.code === TIMED_OUT;
          if (!isTimeOut || hasComputed || more === 0) throw expressionFailed(field, messageOf(thrown), thrown);
        }
      }
    },
  };
}
