import { errorsFrom } from '../errors';
import type { TelephonyError } from '../errors';

/** What an operator must know about calls that wait in the dialplan for their route. */
export const agiError = errorsFrom({
  AGI_PERMISSION: {
    en: 'Asterisk does not let us answer its calls ({action}: permission denied), so they wait until the guard of the dialplan. Add "{permission}" to read= and write= of this user in manager.conf, then "manager reload".',
    ru: 'Asterisk не даёт отвечать звонкам ({action}: Permission denied), и они ждут до защиты в диалплане. Добавьте «{permission}» в read= и write= этого пользователя в manager.conf, затем «manager reload».',
  },
  AGI_NOT_RELEASED: {
    en: 'The call on {channel} could not be sent on its way ({reason}); it waits until the guard of the dialplan.',
    ru: 'Звонок {channel} не удалось отпустить ({reason}); он ждёт до защиты в диалплане.',
  },
  AGI_SCAN_FAILED: {
    en: 'The calls that were already waiting could not be found ({reason}); they wait until the guard of the dialplan.',
    ru: 'Звонки, которые уже ждали, найти не удалось ({reason}); они ждут до защиты в диалплане.',
  },
  AGI_NO_SUCH_SOUND: {
    en: 'The PBX has no sound "{file}" that it can play: the client of an autocall did not hear it. Put the file into the folder of sounds on the PBX (usually /var/lib/asterisk/sounds/<language>), readable for Asterisk and in a format that it plays (wav 8 kHz mono, alaw, gsm).',
    ru: 'На АТС нет звука «{file}», который можно проиграть: клиент автодозвона его не услышал. Положите файл в папку звуков АТС (обычно /var/lib/asterisk/sounds/<язык>), доступный Asterisk для чтения и в формате, который она проигрывает (wav 8 кГц моно, alaw, gsm).',
  },
  AGI_TOO_MANY: {
    en: 'More than {limit} calls ask for their route at once: the others go their normal way without being asked about.',
    ru: 'Маршрут спрашивают больше {limit} звонков сразу: остальные идут обычным путём без вопроса.',
  },
});

/** Why the waiting channels could not be looked for. */
export function scanProblem(error: Error): TelephonyError {
  return /permission denied/i.test(error.message)
    ? agiError('AGI_PERMISSION', { action: 'CoreShowChannels', permission: 'reporting' })
    : agiError('AGI_SCAN_FAILED', { reason: error.message }, error);
}
