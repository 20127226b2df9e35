/** The channel variable by which a click in Bitrix24 tells which CALL_ID Bitrix24 has registered for it. */
export const CLICK_VARIABLE = 'BITRIX24_CALL_ID';

/** `externalCall.89350264e026dace3f2b14d1f438257c.1773236989`, and nothing that means more to a dialplan. */
export const isClickId = (text: string): boolean => /^[\w.-]{1,128}$/.test(text);
