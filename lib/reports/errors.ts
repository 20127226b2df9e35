import { errorsFrom } from '../errors';

/** Errors of reports; a question that cannot be understood is a `QUERY_BAD` of the store. */
export const reportError = errorsFrom({
  REPORTS_BUSY: {
    en: '{limit} reports wait to be made already. Ask less often, or again later.',
    ru: 'В очереди уже {limit} отчётов. Запрашивайте реже или повторите позже.',
  },
  REPORT_TOO_LARGE: {
    en: 'The report would have more than {limit} rows. Ask for a shorter time, for fewer queues, or by day.',
    ru: 'В отчёте было бы больше {limit} строк. Запросите меньший срок, меньше очередей или разбивку по дням.',
  },
});
