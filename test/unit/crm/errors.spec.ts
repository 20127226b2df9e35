import assert from 'node:assert/strict';
import { crmError } from '../../../lib/crm/errors';

/** What each text asks of its reader; those that the settings cause say it in their {problem}. */
const ADVICE: Readonly<Record<Parameters<typeof crmError>[0], RegExp | undefined>> = {
  CRM_BAD_SETTINGS: undefined,
  CRM_BAD_URL: /Enter .+|Укажите .+/,
  CRM_TIMEOUT: /find out|выясните/,
  CRM_UNAUTHORIZED: /Check the key|Проверьте ключ/,
  CRM_SIGNED_OUT: /sign in again|войдите заново/,
  CRM_SIGN_IN_UNKEPT: /Check the folder|Проверьте папку/,
  CRM_SIGN_IN_UNREADABLE: /Check the rights|Проверьте права/,
  CRM_NOT_FOUND: /Check the address|Проверьте адрес/,
  CRM_REDIRECTED: /enter the final address|укажите конечный адрес/,
  CRM_LIMITED: /Send fewer|Уменьшите/,
  CRM_SERVER_ERROR: /Wait .+ log of the CRM|Подождите.+ журнал CRM/,
  CRM_NOT_NOW: /ask those|обратитесь/,
  CRM_BAD_PATH: /Use another|Используйте/,
  CRM_REFUSED: /Correct|Исправьте/,
  CRM_NOT_JSON: /check that the address|проверьте, что указан адрес/,
  CRM_BAD_ANSWER: /Check that the address .+ version|Проверьте, что адрес .+ версия/,
  CRM_TOO_LARGE: /Narrow|Сузьте/,
  CRM_EXPRESSION: /Correct the expression|Исправьте выражение/,
  CRM_BREAKER_OPEN: /asked again|спрошена снова/,
  CRM_CLOSED: /Nothing needs to be done|Делать ничего не нужно/,
  CRM_CANNOT_CREATE: /Choose|Выберите/,
  CRM_NO_USER: /Add a line|Добавьте строку/,
  CRM_RECORDING_FORMAT: /Let Asterisk write wav|Пусть Asterisk пишет wav/,
  CRM_FAULT: /please report it|сообщите о ней/,
};

describe('errors of a CRM', () => {
  it('say what to do, in both languages', () => {
    for (const [code, advice] of Object.entries(ADVICE)) {
      if (advice === undefined) continue;
      const error = crmError(code as keyof typeof ADVICE);
      assert.match(error.message, advice);
      assert.match(error.textIn('ru'), advice);
    }
  });
});
