/** The `n`th autocall of a campaign, as a message orders it: of clients who answer and listen to the end. */
export const orderOf = (n) => ({
  number: `+7916${String(n).padStart(5, '0')}00`,
  files: 'notice',
  key: `notice-${n}`,
  data: { id: n, note: 'x'.repeat(300) },
});

/** Orders that come in one turn of the event loop. */
export const BATCH = 200;
