import type { PhoneFacts } from '../phone/describe';

/** Whether a text is a pattern of {@link DialSettings.allow}: `+7495*`, `+74951343060`, `*` for every number there is. */
export function isNumberPattern(text: string): boolean {
  return /^(?:\+[1-9][0-9]{0,14}\*?|\*)$/.test(text);
}

export function fits(pattern: string, e164: string): boolean {
  return pattern.endsWith('*') ? e164.startsWith(pattern.slice(0, -1)) : e164 === pattern;
}

/** An area code has three digits where premium numbers have one of their own. */
const AREA_DIGITS = 3;

/** Whether a pattern means certain numbers, not just a whole country: only that can want the costly ones among them. */
export function namesAnArea(pattern: string, { callingCode }: PhoneFacts): boolean {
  return pattern.replace(/[^0-9]/g, '').length >= callingCode.length + AREA_DIGITS;
}

/** The pattern by which an admin would allow this number and its neighbours. */
export function areaPattern(e164: string, { callingCode }: PhoneFacts): string {
  return `${e164.slice(0, 1 + callingCode.length + AREA_DIGITS)}*`;
}
