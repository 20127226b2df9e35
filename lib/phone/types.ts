/** What an `ami-config` knows about numbers. */
export interface NumberingPlan {
  /** ISO 3166 country whose national numbers need no country code (`RU`). */
  readonly country: string;
  /** Which digit strings are extensions of this PBX. */
  readonly isExtension: (digits: string) => boolean;
}

/** What a string that should be a number turned out to be. */
export type ParsedNumber =
  | { readonly kind: 'extension'; readonly extension: string }
  | {
      readonly kind: 'phone';
      /** `+74951343060` */
      readonly e164: string;
      /** `4951343060`: E.164 without the country code, as UserCRM wants it. */
      readonly national: string;
      /** ISO country, when the number tells it. */
      readonly country?: string;
      /** The extension behind the number (`доб. 12`). */
      readonly ext?: string;
    }
  /** Digits that are no valid number anywhere: they can still be asked for as they stand. */
  | { readonly kind: 'raw'; readonly digits: string }
  | { readonly kind: 'none'; readonly reason: 'empty' | 'anonymous' | 'too-long' | 'malformed' };
