import type { Cell, ReportRow } from './types';
import { mapSlowly } from './walk';

/**
 * Where a spreadsheet would see a formula begin, which could call out or run something; tab and CR are skipped by some before they look. It
 * may be told another separator than ours, and then cuts within a text.
 */
const FORMULA = /^(?=[" ]*[=+\-@＝＋－＠\t\r])|(?<=[,;\n]|[^][\t\r])(?=[" ]*[=+\-@＝＋－＠])/g;

function cellText(cell: Cell, separator: string): string {
  if (cell === undefined) return '';
  // Numbers are ours, texts may come from anybody who calls.
  const text = typeof cell === 'string' ? cell.replace(FORMULA, "'") : String(cell);
  const mustQuote = /["\r\n]/.test(text) || text.includes(separator);
  return mustQuote ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * The rows as RFC 4180 has it, under the names of the columns; `separator` in the place of the comma. A text that begins with
 * `= + - @` gets an apostrophe before it, also behind any separator within it.
 */
export async function csvOf(
  columns: readonly string[],
  rows: readonly ReportRow[],
  separator: string,
): Promise<string> {
  const line = (cells: readonly Cell[]): string => cells.map((cell) => cellText(cell, separator)).join(separator);
  const lines = await mapSlowly(rows, (row) => line(columns.map((column) => row[column])));
  return [line(columns), ...lines, ''].join('\r\n');
}
