/** `101` in `PJSIP/101`, `Local/101@from-queue/n`, `hint:101@ext-local`, `Agent:101`; empty when it names nothing. */
export const endpointIn = (name: string): string => /^(?:[^:/]*[:/])?([^@/,;]*)/.exec(name)?.[1] ?? '';
