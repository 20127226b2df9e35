import { errorsFrom } from '../errors';

export const simulatorError = errorsFrom({
  SIMULATOR_NOT_RUNNING: {
    en: 'The built-in PBX simulator is not running: start it before you put a call into it.',
    ru: 'Встроенный симулятор АТС не запущен: запустите его, прежде чем подавать звонок.',
  },
  SIMULATOR_STOPPED: {
    en: 'The call from {from} was cut off: the built-in PBX simulator was stopped. Put the call in again after the start.',
    ru: 'Звонок с номера {from} прерван: встроенный симулятор АТС остановлен. Повторите звонок после запуска.',
  },
  SIMULATOR_TOO_MANY_CALLS: {
    en: 'The built-in PBX simulator already carries {limit} calls: wait until some have ended.',
    ru: 'Во встроенном симуляторе АТС уже идёт {limit} звонков: дождитесь, пока часть закончится.',
  },
  SIMULATOR_BAD_CALL: {
    en: 'The field "{field}" of the simulated call cannot be used: it must be a line of {min} to {max} characters without line ends.',
    ru: 'Поле «{field}» звонка не подходит: нужна одна строка длиной от {min} до {max} символов без переводов строки.',
  },
  SIMULATOR_NO_SUCH_PHONE: {
    en: 'The built-in PBX simulator has no phone {extension}. Its phones: {known}.',
    ru: 'Во встроенном симуляторе АТС нет телефона {extension}. Его телефоны: {known}.',
  },
});
