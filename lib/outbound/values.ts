import { isReservedVariable } from './variables';

const CONTEXT = /^[\w.@+-]{1,79}$/;
/** Not a dialplan function: `SHELL(…)` would be one. `_` and `__` before the name hand a variable on to other channels. */
const VARIABLE = /^_{0,2}[A-Za-z]\w{0,60}$/;

/** Whether it can be the name of a context; Asterisk has 79 characters for it. */
export const isContext = (text: string): boolean => CONTEXT.test(text);

/** Whether somebody outside may set a channel variable of this name. */
export const isVariable = (name: string): boolean => VARIABLE.test(name) && !isReservedVariable(name);

/** Whether it is one line: no control character of any kind. */
export const isOneLine = (text: string): boolean => !/\p{Cc}/u.test(text);
