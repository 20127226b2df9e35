import { errorsFrom } from '../errors';

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
  AGI_TOO_MANY: {
    en: 'More than {limit} calls ask for their route at once: the others go their normal way without being asked about.',
    ru: 'Маршрут спрашивают больше {limit} звонков сразу: остальные идут обычным путём без вопроса.',
  },
});
