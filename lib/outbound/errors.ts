import { errorsFrom } from '../errors';

export const outboundError = errorsFrom({
  OUTBOUND_NOT_A_NUMBER: {
    en: '"{number}" is not dialled: it is neither a valid phone number nor an extension of this PBX. Check the number, and Country and Extensions in ami-config (or finesse-config).',
    ru: '«{number}» не набирается: это не телефонный номер и не внутренний номер этой АТС. Проверьте номер, а в ami-config (или finesse-config) — «Страна» и «Внутр. номера».',
  },
  OUTBOUND_FEATURE_CODE: {
    en: '"{number}" is not dialled: codes with * or # command the PBX and are never accepted from outside.',
    ru: '«{number}» не набирается: коды с * и # управляют АТС, извне они не принимаются никогда.',
  },
  OUTBOUND_EMERGENCY: {
    en: '"{number}" is not dialled: it is an emergency number, and those are never called by a program.',
    ru: '«{number}» не набирается: это номер экстренной службы, программа по нему не звонит никогда.',
  },
  OUTBOUND_COSTLY: {
    en: '"{number}" is not dialled: calls to it cost extra (premium rate, shared cost and the like). If it is meant, allow it in ami-config, Calls out (or finesse-config), by a pattern with its area code: {pattern}.',
    ru: '«{number}» не набирается: звонок на него платный сверх обычного. Если так и нужно, разрешите его в ami-config («Исходящие звонки») или finesse-config шаблоном с кодом: {pattern}.',
  },
  OUTBOUND_ABROAD: {
    en: '"{number}" is not dialled: only numbers of {country} are allowed. Allow others in ami-config, Calls out (or finesse-config), for instance {pattern}.',
    ru: '«{number}» не набирается: разрешены только номера страны {country}. Другие разрешите в ami-config («Исходящие звонки») или finesse-config, например {pattern}.',
  },
  OUTBOUND_NOT_ALLOWED: {
    en: '"{number}" is not dialled: no pattern of the allowed numbers in ami-config, Calls out (or finesse-config), fits it. Add one if it is meant.',
    ru: '«{number}» не набирается: ни один шаблон разрешённых номеров в ami-config («Исходящие звонки») или finesse-config ему не подходит. Добавьте шаблон, если звонить нужно.',
  },
  OUTBOUND_DENIED: {
    en: '"{number}" is not dialled: the forbidden numbers in ami-config, Calls out (or finesse-config), have {pattern}.',
    ru: '«{number}» не набирается: среди запрещённых номеров в ami-config («Исходящие звонки») или finesse-config есть {pattern}.',
  },
  OUTBOUND_TOO_MANY: {
    en: 'No more than {limit} calls a minute are begun on this PBX (Per minute in ami-config, Calls out, or finesse-config); try again in {seconds} s.',
    ru: 'На этой АТС начинается не больше {limit} звонков в минуту («В минуту» в ami-config, «Исходящие звонки», или в finesse-config); повторите через {seconds} с.',
  },
  OUTBOUND_TOO_MANY_BY_CALLER: {
    en: '"{by}" may begin no more than {limit} calls a minute (Per caller in ami-config, Calls out, or finesse-config); try again in {seconds} s.',
    ru: '«{by}» может начать не больше {limit} звонков в минуту («На одного» в ami-config, «Исходящие звонки», или в finesse-config); повторите через {seconds} с.',
  },
});
