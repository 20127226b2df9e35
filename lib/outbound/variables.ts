/** What the shipped dialplan reads; a channel's own variable would hide the admin's global one, and with it the context that dials. */
const OF_THE_PACK = /^_{0,2}(?:TCRM|TELEPHONY_CRM|CRM_ROUTE)(?:_|$)/i;
/** What Asterisk's Monitor, or FreePBX for MixMonitor, hands to a shell. */
const RUN_BY_A_SHELL = /^_{0,2}(?:MONITOR_EXEC(?:_ARGS)?|MIXMON(?:ITOR)?_(?:EXEC|POST))$/i;

/** Whether nobody outside may set this channel variable. Names are judged whatever their case is: some functions do not care. */
export function isReservedVariable(name: string): boolean {
  return OF_THE_PACK.test(name) || RUN_BY_A_SHELL.test(name);
}
