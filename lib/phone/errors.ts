import { errorsFrom } from '../errors';

export const phoneError = errorsFrom({
  PHONE_BAD_PLAN: {
    en: 'The numbering plan cannot be used: {problemEn}',
    ru: 'План нумерации нельзя использовать: {problemRu}',
  },
});
