import { errorsFrom } from '../errors';

export const recordingError = errorsFrom({
  RECORDING_BAD_SETTINGS: {
    en: 'Recordings cannot be offered: {problemEn}',
    ru: 'Записи недоступны: {problemRu}',
  },
  RECORDING_OUTSIDE: {
    en: 'The recording "{file}" lies outside the recordings folder, and is not touched. Set the folder of Asterisk and the same folder as this machine sees it.',
    ru: 'Запись «{file}» лежит вне папки записей и не будет открыта. Укажите папку Asterisk и ту же папку так, как её видит эта машина.',
  },
  RECORDING_MISSING: {
    en: 'The recording "{file}" is not in the recordings folder. Check that the folder is mounted here and that Asterisk has written it.',
    ru: 'Записи «{file}» нет в папке записей. Проверьте, что папка подключена на этой машине и что Asterisk её записал.',
  },
  RECORDING_NOT_READY: {
    en: 'The recording "{file}" is still being written; it is tried again.',
    ru: 'Запись «{file}» ещё пишется; попытка повторится.',
  },
  RECORDING_TOO_LARGE: {
    en: 'The recording "{file}" has {bytes} bytes; at most {limit} are sent. Send a link to it instead.',
    ru: 'Запись «{file}» занимает {bytes} байт, отправляется не больше {limit}. Передавайте ссылку на неё.',
  },
  RECORDING_UNREADABLE: {
    en: 'The recording "{file}" cannot be read ({reason}). Check the rights of the folder.',
    ru: 'Запись «{file}» не читается ({reason}). Проверьте права на папку.',
  },
});
