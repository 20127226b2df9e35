import type { NumberingPlan } from './types';

/** `101` in `PJSIP/101`, `Local/101@from-queue/n`, `hint:101@ext-local`, `Agent:101`; empty when it names nothing. */
export const endpointIn = (name: string): string => /^(?:[^:/]*[:/])?([^@/,;]*)/.exec(name)?.[1] ?? '';

/** Whose channel it is, by its name alone: numbers and names that it shows are the caller's to choose. */
export type Whose = (channelName: string) => string | undefined;

/**
 * Channels are named after their endpoint: `PJSIP/101-0000001a`. `agentChannel` says how the phone of an extension is dialled
 * (`PJSIP/phone-{extension}`), hence how its endpoint is called; else an endpoint whose name is an extension is one, unless it is
 * among the trunks.
 */
export function whoseChannels(agentChannel: string, plan: NumberingPlan, trunks: readonly string[]): Whose {
  const [before = '', after = ''] = agentChannel.split('{extension}', 2);
  return (name) => {
    const device = name.replace(/-[^-]*$/, '');
    const endpoint = device.slice(device.indexOf('/') + 1);
    if (name.startsWith('Local/') || trunks.includes(endpoint)) return undefined;
    const isNamedSo = device.startsWith(before) && device.endsWith(after) && agentChannel.includes('{extension}');
    const extension = isNamedSo ? device.slice(before.length, device.length - after.length) : endpoint;
    return [extension, endpoint].find((one) => plan.isExtension(one));
  };
}

/** Whose phone an interface of a queue is; `undefined`: its name does not say. */
export const ownerOf = (whose: Whose, interfaceName: string): string | undefined => whose(`${interfaceName}-0`);
