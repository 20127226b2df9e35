/**
 * A test that needs more than Node may be left out on somebody's own machine, loudly; in CI it fails.
 * Call it in a `before`; returns whether the suite can run.
 */
export function canRun(context: Mocha.Context, possible: boolean, missing: string): boolean {
  if (possible) return true;
  if (process.env.CI) throw new Error(`${missing}: CI must be able to run this`);
  process.stderr.write(`\n!!! LEFT OUT: ${context.test?.parent?.title ?? 'a suite'}: ${missing}\n`);
  context.skip();
}
