/** A region of Russia: how it is called, how the registry of its regulator can be known to mean it, its clock, and its area codes. */
export interface RussianRegion {
  readonly en: string;
  readonly ru: string;
  /** Begins a word of the name in any spelling (`Республика Татарстан`, `Татарстан (Респ.)`). */
  readonly stem: string;
  /** Absent: there are several. */
  readonly timeZone?: string;
  /** The digits behind +7, the longest of them counts; a code that two regions share (498) is in none of them. */
  readonly codes: string;
}

type Line = readonly [en: string, ru: string, stem: string, codes: string, timeZone?: string];

const M = 'Europe/Moscow';
const Y = 'Asia/Yekaterinburg';
const K = 'Asia/Krasnoyarsk';
const V = 'Asia/Vladivostok';

/** The area codes are those of the numbering plan of Russia. */
const LINES: readonly Line[] = [
  ['Adygea', 'Республика Адыгея', 'Адыге', '877', M],
  ['Altai Republic', 'Республика Алтай', 'Республика Алтай', '388', 'Asia/Barnaul'],
  ['Altai Krai', 'Алтайский край', 'Алтайск', '385', 'Asia/Barnaul'],
  ['Amur Oblast', 'Амурская область', 'Амурск', '416', 'Asia/Yakutsk'],
  ['Arkhangelsk Oblast', 'Архангельская область', 'Архангельск', '818', M],
  ['Astrakhan Oblast', 'Астраханская область', 'Астрахан', '851', 'Europe/Astrakhan'],
  ['Bashkortostan', 'Республика Башкортостан', 'Башкорт', '347', Y],
  ['Belgorod Oblast', 'Белгородская область', 'Белгород', '472', M],
  ['Bryansk Oblast', 'Брянская область', 'Брянск', '483', M],
  ['Buryatia', 'Республика Бурятия', 'Бурят', '301', 'Asia/Irkutsk'],
  ['Chechnya', 'Чеченская Республика', 'Чечен', '871', M],
  ['Chelyabinsk Oblast', 'Челябинская область', 'Челябинск', '351', Y],
  ['Chukotka', 'Чукотский автономный округ', 'Чукот', '427', 'Asia/Anadyr'],
  ['Chuvashia', 'Чувашская Республика', 'Чуваш', '835', M],
  ['Dagestan', 'Республика Дагестан', 'Дагестан', '872', M],
  ['Ingushetia', 'Республика Ингушетия', 'Ингушет', '873', M],
  ['Irkutsk Oblast', 'Иркутская область', 'Иркутск', '395', 'Asia/Irkutsk'],
  ['Ivanovo Oblast', 'Ивановская область', 'Ивановск', '493', M],
  ['Jewish Autonomous Oblast', 'Еврейская автономная область', 'Еврейск', '426', V],
  ['Kabardino-Balkaria', 'Кабардино-Балкарская Республика', 'Кабардино', '866', M],
  ['Kaliningrad Oblast', 'Калининградская область', 'Калининград', '401', 'Europe/Kaliningrad'],
  ['Kalmykia', 'Республика Калмыкия', 'Калмык', '847', M],
  ['Kaluga Oblast', 'Калужская область', 'Калужск', '484', M],
  ['Kamchatka Krai', 'Камчатский край', 'Камчат', '415', 'Asia/Kamchatka'],
  ['Karachay-Cherkessia', 'Карачаево-Черкесская Республика', 'Карачаево', '878', M],
  ['Karelia', 'Республика Карелия', 'Карели', '814', M],
  ['Kemerovo Oblast', 'Кемеровская область', 'Кемеров', '384', 'Asia/Novokuznetsk'],
  ['Khabarovsk Krai', 'Хабаровский край', 'Хабаровск', '421', V],
  ['Khakassia', 'Республика Хакасия', 'Хакас', '390', K],
  ['Khanty-Mansi Autonomous Okrug', 'Ханты-Мансийский автономный округ — Югра', 'Ханты', '346', Y],
  ['Kirov Oblast', 'Кировская область', 'Кировск', '833', 'Europe/Kirov'],
  ['Komi', 'Республика Коми', 'Коми', '821', M],
  ['Kostroma Oblast', 'Костромская область', 'Костром', '494', M],
  ['Krasnodar Krai', 'Краснодарский край', 'Краснодар', '861 862', M],
  ['Krasnoyarsk Krai', 'Красноярский край', 'Красноярск', '391', K],
  ['Kurgan Oblast', 'Курганская область', 'Курганск', '352', Y],
  ['Kursk Oblast', 'Курская область', 'Курск', '471', M],
  ['Leningrad Oblast', 'Ленинградская область', 'Ленинград', '813', M],
  ['Lipetsk Oblast', 'Липецкая область', 'Липецк', '474', M],
  ['Magadan Oblast', 'Магаданская область', 'Магадан', '413', 'Asia/Magadan'],
  ['Mari El', 'Республика Марий Эл', 'Марий', '836', M],
  ['Mordovia', 'Республика Мордовия', 'Мордов', '834', M],
  ['Moscow', 'Москва', 'Москва', '495 499', M],
  ['Moscow Oblast', 'Московская область', 'Московск', '496', M],
  ['Murmansk Oblast', 'Мурманская область', 'Мурманск', '815', M],
  ['Nenets Autonomous Okrug', 'Ненецкий автономный округ', 'Ненецк', '81853', M],
  ['Nizhny Novgorod Oblast', 'Нижегородская область', 'Нижегород', '831', M],
  ['North Ossetia', 'Республика Северная Осетия — Алания', 'Осети', '867', M],
  ['Novgorod Oblast', 'Новгородская область', 'Новгородск', '816', M],
  ['Novosibirsk Oblast', 'Новосибирская область', 'Новосибирск', '383', 'Asia/Novosibirsk'],
  ['Omsk Oblast', 'Омская область', 'Омск', '381', 'Asia/Omsk'],
  ['Orenburg Oblast', 'Оренбургская область', 'Оренбург', '353', Y],
  ['Oryol Oblast', 'Орловская область', 'Орловск', '486', M],
  ['Penza Oblast', 'Пензенская область', 'Пензен', '841', M],
  ['Perm Krai', 'Пермский край', 'Пермск', '342', Y],
  ['Primorsky Krai', 'Приморский край', 'Приморск', '423', V],
  ['Pskov Oblast', 'Псковская область', 'Псковск', '811', M],
  ['Rostov Oblast', 'Ростовская область', 'Ростовск', '863', M],
  ['Ryazan Oblast', 'Рязанская область', 'Рязан', '491', M],
  ['Saint Petersburg', 'Санкт-Петербург', 'Санкт', '812', M],
  // Kurils and Yakutia have clocks of their own in their parts.
  ['Sakhalin Oblast', 'Сахалинская область', 'Сахалин', '424'],
  ['Sakha (Yakutia)', 'Республика Саха (Якутия)', 'Якут', '411'],
  ['Samara Oblast', 'Самарская область', 'Самарск', '846 848', 'Europe/Samara'],
  ['Saratov Oblast', 'Саратовская область', 'Саратов', '845', 'Europe/Saratov'],
  ['Smolensk Oblast', 'Смоленская область', 'Смоленск', '481', M],
  ['Stavropol Krai', 'Ставропольский край', 'Ставрополь', '865 879', M],
  ['Sverdlovsk Oblast', 'Свердловская область', 'Свердловск', '343', Y],
  ['Tambov Oblast', 'Тамбовская область', 'Тамбовск', '475', M],
  ['Tatarstan', 'Республика Татарстан', 'Татарстан', '843 855', M],
  ['Tomsk Oblast', 'Томская область', 'Томск', '382', 'Asia/Tomsk'],
  ['Tula Oblast', 'Тульская область', 'Тульск', '487', M],
  ['Tuva', 'Республика Тыва', 'Тыва', '394', K],
  ['Tver Oblast', 'Тверская область', 'Тверск', '482', M],
  ['Tyumen Oblast', 'Тюменская область', 'Тюмен', '345', Y],
  ['Udmurtia', 'Удмуртская Республика', 'Удмурт', '341', 'Europe/Samara'],
  ['Ulyanovsk Oblast', 'Ульяновская область', 'Ульяновск', '842', 'Europe/Ulyanovsk'],
  ['Vladimir Oblast', 'Владимирская область', 'Владимирск', '492', M],
  ['Volgograd Oblast', 'Волгоградская область', 'Волгоград', '844', M],
  ['Vologda Oblast', 'Вологодская область', 'Вологодск', '817 820', M],
  ['Voronezh Oblast', 'Воронежская область', 'Воронеж', '473', M],
  ['Yamalo-Nenets Autonomous Okrug', 'Ямало-Ненецкий автономный округ', 'Ямало', '349', Y],
  ['Yaroslavl Oblast', 'Ярославская область', 'Ярославск', '485', M],
  ['Zabaykalsky Krai', 'Забайкальский край', 'Забайкал', '302', 'Asia/Chita'],
];

export const RUSSIAN_REGIONS: readonly RussianRegion[] = LINES.map(([en, ru, stem, codes, timeZone]) => ({
  en,
  ru,
  stem,
  codes,
  ...(timeZone === undefined ? {} : { timeZone }),
}));
