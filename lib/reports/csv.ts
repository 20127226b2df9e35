import type { Cell, ReportRow } from './types';

/** What a spreadsheet takes for a formula, which could call out or run something; tab and CR are skipped by some before they look. */
const FORMULA = /^[=+\-@\t\r]/;

function cellText(cell: Cell, separator: string): string {
  if (cell === undefined) return '';
  // Numbers are ours, texts may come from anybody who calls.
  const text = typeof cell === 'string' && FORMULA.test(cell) ? `'${cell}` : String(cell);
  const mustQuote = /["\r\n]/.test(text) || text.includes(separator);
  return mustQuote ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The rows as RFC 4180 has it, under the names of the columns; `separator` in the place of the comma. A text that begins with
 * `= + - @` gets an apostrophe before it.
 */
export function csvOf(columns: readonly string[], rows: readonly ReportRow[], separator: string): string {
  const line = (cells: readonly Cell[]): string => cells.map((cell) => cellText(cell, separator)).join(separator);
  return [line(columns), ...rows.map((row) => line(columns.map((column) => row[column])))]
    .map((each) => `${each}\r\n`)
    .join('');
}
