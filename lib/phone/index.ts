export { numberingPlan, type NumberingPlanOptions } from './plan';
export { parseNumber } from './parse';
export { maskNumber, numberKey, numberVariants, sameNumber } from './compare';
export type { NumberingPlan, ParsedNumber } from './types';
