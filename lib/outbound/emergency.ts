/** Where a telephone of any network reaches help; on GSM everywhere. */
const EVERYWHERE = ['112', '911'];

/**
 * Emergency numbers of the countries in which they differ from those. Of the three-digit ones in Russia and its neighbours (101 to
 * 104) none is here: they are the first phones of nearly every PBX there, so they count as what the numbering plan calls them.
 */
const BY_COUNTRY: Readonly<Record<string, readonly string[]>> = {
  AE: ['997', '998', '999'],
  AM: ['01', '02', '03', '04'],
  AT: ['122', '133', '144'],
  AU: ['000', '106'],
  AZ: ['01', '02', '03', '04'],
  BR: ['190', '192', '193'],
  BY: ['01', '02', '03', '04'],
  CH: ['117', '118', '144'],
  CN: ['110', '119', '120', '122'],
  DE: ['110'],
  FR: ['15', '17', '18', '114'],
  GB: ['999'],
  GE: ['01', '02', '03', '04'],
  HK: ['999'],
  ID: ['110', '113', '118', '119'],
  IE: ['999'],
  IL: ['100', '101', '102'],
  IN: ['100', '101', '102', '108'],
  IT: ['113', '115', '118'],
  JP: ['110', '118', '119'],
  KG: ['01', '02', '03', '04'],
  KR: ['119'],
  KZ: ['01', '02', '03', '04'],
  MD: ['901', '902', '903'],
  MY: ['999'],
  NO: ['110', '113'],
  NZ: ['111'],
  PL: ['997', '998', '999'],
  RU: ['01', '02', '03', '04'],
  SA: ['997', '998', '999'],
  SG: ['995', '999'],
  TH: ['191', '199', '1669'],
  TJ: ['01', '02', '03', '04'],
  TR: ['110', '155', '156'],
  UA: ['01', '02', '03', '04'],
  UZ: ['01', '02', '03', '04'],
  VN: ['113', '114', '115'],
  ZA: ['10111', '10177'],
};

/** What gets an outside line, or goes before numbers of the own country or of others, in front of 112. */
const WITH_A_PREFIX = /^(?:0{1,2}|[1-9]|99|810)(?:112|911)$/;

/**
 * What gets an outside line in front of a country's own numbers. Fewer than above: with two digits behind it, any other would be
 * a phone or a ring group of many a PBX (in Russia 601, 802).
 */
const OUTSIDE_LINE = [/^(?:0{1,2}|8|9{1,2})(?=\d{3,}$)/, /^[09](?=\d{2}$)/];

/** Whether these digits, dialled in that country, call for help. */
export function isEmergency(digits: string, country: string): boolean {
  return EVERYWHERE.includes(digits) || BY_COUNTRY[country]?.includes(digits) === true;
}

/** Whether these digits call for help where the first of them get an outside line (`9112`, in Britain `9999`); a phone may have them too. */
export function isEmergencyOutside(digits: string, country: string): boolean {
  const own = OUTSIDE_LINE.map((prefix) => digits.replace(prefix, '')).filter((rest) => rest !== digits);
  return WITH_A_PREFIX.test(digits) || own.some((rest) => BY_COUNTRY[country]?.includes(rest) === true);
}
