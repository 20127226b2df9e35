import { errorsFrom } from '../../errors';

export const autocallError = errorsFrom({
  AUTOCALL_NEEDS_DIALPLAN: {
    en: 'A message that is only played back can neither ask for a key nor notice an answering machine. Include extensions_telephony_crm.conf in the dialplan of the PBX and choose it in the dialog, or leave the prompt and the detection out of the order.',
    ru: 'Простое проигрывание не умеет ни спрашивать клавишу, ни распознавать автоответчик. Подключите extensions_telephony_crm.conf в диалплан АТС и выберите его в настройках узла или уберите из заказа вопрос и распознавание.',
  },
});
