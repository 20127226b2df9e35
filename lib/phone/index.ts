export { numberingPlan } from './plan';
export { parseNumber } from './parse';
export { maskNumber, numberKey, numberVariants, sameNumber } from './compare';
export { isDialable } from './dialable';
