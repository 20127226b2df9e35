/** The languages in which the pack speaks to people. */
export type Lang = 'en' | 'ru';

/** One text in every language; `{name}` stands for the parameter `name`. */
export type Text = Readonly<Record<Lang, string>>;

export type ErrorParams = Readonly<Record<string, string | number>>;

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

/**
 * An error that a person can act on. `code` is stable: flows and tests may compare it. `message` is English;
 * {@link TelephonyError.textIn} gives the same in the reader's language. Neither ever holds a secret.
 */
export class TelephonyError extends Error {
  override readonly name = 'TelephonyError';

  constructor(
    readonly code: string,
    private readonly text: Text,
    readonly params: ErrorParams = {},
    cause?: unknown,
  ) {
    super(fill(text.en, params), cause === undefined ? undefined : { cause });
  }

  /** The same error with more, or other, parameters in its text. */
  with(params: ErrorParams): TelephonyError {
    return new TelephonyError(this.code, this.text, { ...this.params, ...params }, this.cause);
  }

  /** What happened, to what, and what to do, in the given language. */
  textIn(lang: Lang): string {
    return fill(this.text[lang], this.params);
  }
}

/**
 * Makes the error factory of one room of the house from its table of texts. The table is the whole list of codes
 * that the room can give, so that none lacks a translation.
 */
export function errorsFrom<Code extends string>(table: Readonly<Record<Code, Text>>) {
  return (code: Code, params: ErrorParams = {}, cause?: unknown): TelephonyError =>
    new TelephonyError(code, table[code], params, cause);
}

/** What was thrown, as an Error: a rejected promise may carry anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
