import { isIPv6 } from 'node:net';
import type { Lang, Text } from '../errors';
import type { PermissionNeed } from './permissions';

export interface ManagerConfOptions {
  /** The name of the section; replaced when manager.conf could not hold it. */
  readonly username: string;
  readonly needs: readonly PermissionNeed[];
  /** Our own address as far as it is known: the only one that may log in. */
  readonly permit?: string;
}

/** Left as a comment: a section pasted as it stands must not let anybody in. */
const SECRET: Text = {
  en: ';secret = (remove the ; and write a long one of your own)',
  ru: ';secret = (уберите ; и впишите свой длинный пароль)',
};
const HEAD: Text = {
  en: 'the least rights for what is ticked; after saving: asterisk -rx "manager reload"',
  ru: 'наименьшие права для отмеченного; после сохранения: asterisk -rx "manager reload"',
};
const PERMIT: Text = {
  en: 'only the computer of Node-RED may log in (behind NAT: write the address that Asterisk sees)',
  ru: 'входить может только компьютер с Node-RED (за NAT: впишите адрес, который видит Asterisk)',
};
const WRITE_TIMEOUT: Text = {
  en: 'milliseconds that Asterisk waits for a slow reader before it drops the link',
  ru: 'сколько миллисекунд Asterisk ждёт медленного читателя, прежде чем оборвать связь',
};
const FILTER: Text = {
  en: 'a quieter link, if wanted: remove the ; of the lines for your version',
  ru: 'чтобы событий было меньше, уберите ; у строк для своей версии',
};
const SHELL: Text = {
  en: 'system and originate together are as good as a shell on the PBX: let nobody else log in as this user',
  ru: 'system вместе с originate — всё равно что командная строка на АТС: не давайте этот логин никому другому',
};
const NEW: Text = { en: 'Asterisk 18.26, 20.20, 22.10 and later', ru: 'Asterisk 18.26, 20.20, 22.10 и новее' };
const OLD: Text = { en: 'older', ru: 'старше' };

/** Noise that no node of the pack reads; which of it comes depends on the classes. VarSet is none when its class was asked for. */
function noise(needs: readonly PermissionNeed[]): string[] {
  const wantsVariables = needs.some((need) => need.direction === 'read' && need.class === 'dialplan');
  return ['CEL', ...(wantsVariables ? [] : ['VarSet']), 'Newexten', 'RTCPSent', 'RTCPReceived'];
}

const classes = (needs: readonly PermissionNeed[], direction: 'read' | 'write'): string =>
  needs
    .filter((need) => need.direction === direction)
    .map((need) => need.class)
    .join(',');

const isShell = (needs: readonly PermissionNeed[]): boolean =>
  ['system', 'originate'].every((name) => needs.some((need) => need.direction === 'write' && need.class === name));

function permitLines(address = '127.0.0.1'): string[] {
  return isIPv6(address)
    ? ['deny = 0.0.0.0/0.0.0.0', 'deny = ::/0', `permit = ${address}/128`]
    : ['deny = 0.0.0.0/0.0.0.0', `permit = ${address}/255.255.255.255`];
}

/** The section of manager.conf to paste. Never holds a secret: the admin writes his own. */
export function managerConf({ username, needs, permit }: ManagerConfOptions, lang: Lang): string {
  const section = /^[\w.@+-]{1,79}$/.test(username) && username !== 'general' ? username : 'telephony-crm';
  return [
    `[${section}]`,
    `; ${HEAD[lang]}`,
    SECRET[lang],
    `; ${PERMIT[lang]}`,
    ...permitLines(permit),
    `read = ${classes(needs, 'read')}`,
    ...(isShell(needs) ? [`; ${SHELL[lang]}`] : []),
    `write = ${classes(needs, 'write')}`,
    `; ${WRITE_TIMEOUT[lang]}`,
    'writetimeout = 5000',
    `; ${FILTER[lang]}`,
    `; ${NEW[lang]}:`,
    ...noise(needs).map((name) => `;eventfilter(action(exclude),name(${name})) =`),
    `; ${OLD[lang]}:`,
    ...noise(needs).map((name) => `;eventfilter = !Event: ${name}`),
    '',
  ].join('\n');
}
