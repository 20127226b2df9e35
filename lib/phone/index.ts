export { numberingPlan } from './plan';
export { parseNumber } from './parse';
export { numberKey, numberVariants } from './compare';
export { isDialable } from './dialable';
