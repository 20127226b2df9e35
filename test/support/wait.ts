/**
 * Waits until `condition` is true and fails, naming `what` was waited for, after `ms` milliseconds of real time.
 * Polls every 5 ms; a condition that throws counts as not yet true, and its error is told when time is up.
 */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms;
  let lastError: unknown;
  for (;;) {
    try {
      if (await condition()) return;
      lastError = undefined;
    } catch (thrown) {
      lastError = thrown;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${ms} ms in vain: ${what}`, lastError === undefined ? undefined : { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
