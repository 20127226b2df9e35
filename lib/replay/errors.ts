import { errorsFrom, type Lang } from '../errors';

export const replayError = errorsFrom({
  REPLAY_BAD_ARGUMENTS: {
    en: 'The arguments ({given}) cannot be used. Give one FILE, with --records or --plan PLAN if you like; --help tells more.',
    ru: 'Аргументы ({given}) не подходят. Укажите один FILE и, если нужно, --records или --plan PLAN; подробнее — --help.',
  },
  REPLAY_NO_TRACE: {
    en: '{file} is not an AMI trace: it holds no event and no answer of Asterisk. A trace is what Asterisk sends over AMI, after lines that begin with ";"; "Record a trace" in ami-config writes one.',
    ru: '{file} — не трасса AMI: в файле нет ни событий, ни ответов Asterisk. Трасса — это то, что Asterisk шлёт по AMI, после строк, которые начинаются с «;»; её пишет «Записать трассу» в ami-config.',
  },
  REPLAY_UNREADABLE: {
    en: '{file} cannot be read ({reason}). Check the path and the rights of the file.',
    ru: '{file} не читается ({reason}). Проверьте путь и права на файл.',
  },
  REPLAY_BAD_PLAN: {
    en: 'The plan in {file} cannot be used: {problemEn} See --help for its shape.',
    ru: 'План из {file} не подходит: {problemRu} Его вид показывает --help.',
  },
});

/** The language of the locale; by the rules of POSIX the first of these variables that is not empty decides. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Lang {
  const locale = [env.LC_ALL, env.LC_MESSAGES, env.LANG].find((value) => value !== undefined && value !== '');
  return /^ru(?![a-z])/i.test(locale ?? '') ? 'ru' : 'en';
}
