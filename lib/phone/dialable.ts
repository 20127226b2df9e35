/**
 * Whether a text can be dialled and written into a dialplan without meaning anything else there: what has a meaning of its
 * own to Dial or Goto (`&`, `,`, `/`, `@`, `$`, `.` of a pattern …) cannot. Extensions, ring groups, queues; not a channel.
 */
export function isDialable(text: string): boolean {
  return /^[0-9A-Za-z*#+_-]{1,32}$/.test(text);
}
