/**
 * The bounds of the AMI client. Past a bound that Asterisk's own traffic never comes near, the stream is no longer
 * trusted: the link is dropped with an error and made anew, so that the state is taken afresh.
 */

/** A line ends at CR LF. The longest real ones (dynamic variables, AppData) are a few KiB. */
export const MAX_LINE_BYTES = 256 * 1024;

/** One message. The largest real ones are answers of `Command`; 80 000 lines of output are about 8 MiB. */
export const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** The greeting is one short line; what is longer is no AMI. */
export const MAX_GREETING_BYTES = 256;

/** Actions without an answer yet. Asterisk works on them one by one: beyond this the flow is faster than the PBX. */
export const MAX_PENDING_ACTIONS = 1000;

/** Bytes written that the kernel has not taken yet. A PBX that reads leaves this near zero. */
export const MAX_UNSENT_BYTES = 1024 * 1024;

/** Items of one event list: twice the channels and endpoints of the largest single Asterisk. */
export const MAX_LIST_ITEMS = 100_000;

/** Text of one event list, in UTF-16 units: what 100 000 items of usual size need. */
export const MAX_LIST_CHARS = 64 * 1024 * 1024;

/** A header line that we send, CR LF included: Asterisk answers longer ones with an Error (measured on 22.10). */
export const MAX_REQUEST_LINE_BYTES = 1024;

/** Header lines of one action: Asterisk refuses more (measured on 22.10). */
export const MAX_REQUEST_LINES = 128;

/** Names of events and headers that are remembered to save work. Callers may invent names, hence a bound. */
export const MAX_REMEMBERED_NAMES = 2048;
