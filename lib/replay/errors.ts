import { errorsFrom } from '../errors';

export const replayError = errorsFrom({
  REPLAY_NO_RECORDING: {
    en: '{file} is no AMI recording: there is no event and no answer of Asterisk in it. A recording is what Asterisk sends over AMI, after lines that begin with ";".',
    ru: '{file} — не запись AMI: в ней нет ни событий, ни ответов Asterisk. Запись — это то, что Asterisk шлёт по AMI, после строк, которые начинаются с «;».',
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
