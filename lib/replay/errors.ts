import { errorsFrom } from '../errors';

export const replayError = errorsFrom({
  REPLAY_NO_TRACE: {
    en: '{file} is not an AMI trace: it holds no event and no answer of Asterisk. A trace is what Asterisk sends over AMI, after lines that begin with ";"; "Record a trace" in ami-config writes one.',
    ru: '{file} — не трасса AMI: в файле нет ни событий, ни ответов Asterisk. Трасса — это то, что Asterisk шлёт по AMI, после строк, которые начинаются с «;»; её пишет «Записать трассу» в ami-config.',
  },
  REPLAY_UNREADABLE: {
    en: '{file} cannot be read ({reason}).',
    ru: '{file} не читается ({reason}).',
  },
  REPLAY_BAD_PLAN: {
    en: 'The plan in {file} cannot be used: {problem} See --help for its shape.',
    ru: 'План из {file} не подходит: {problem} Его вид показывает --help.',
  },
});
