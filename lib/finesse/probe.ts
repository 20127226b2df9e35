import type { Text } from '../errors';
import type { FinesseAgent, FinesseClient } from './types';

const NOBODY: Text = {
  en: 'Finesse answers and is in service. No agent was checked: enter one in the table.',
  ru: 'Finesse отвечает и обслуживает. Оператор не проверен: впишите его в таблицу.',
};

/**
 * Asks what a click would need: the server in service and, when one is given, the agent's login, password and extension. Signs nobody in and
 * changes nothing. Resolves with what to tell the admin; rejects with the `FINESSE_…` that stands in the way.
 */
export async function probeFinesse(client: FinesseClient, agent: FinesseAgent | undefined): Promise<Text> {
  await client.check();
  if (agent === undefined) return NOBODY;
  const { login } = agent;
  const { state, extension } = await client.user(agent);
  if (state === 'LOGOUT' || extension === '') {
    return {
      en: `Finesse answers; login and password of ${login} are right. The agent is not signed in now: calls can be made only while he is.`,
      ru: `Finesse отвечает; логин и пароль ${login} верны. Сейчас оператор не вошёл: звонить можно, только пока он в системе.`,
    };
  }
  if (extension !== agent.extension) {
    return {
      en: `Finesse answers; login and password of ${login} are right. But the agent is signed in at ${extension}, and the table says ${agent.extension}: Finesse will refuse the calls.`,
      ru: `Finesse отвечает; логин и пароль ${login} верны. Но оператор вошёл под номером ${extension}, а в таблице ${agent.extension}: Finesse не станет звонить.`,
    };
  }
  return {
    en: `Finesse answers; ${login} is signed in at ${extension}, state ${state}.`,
    ru: `Finesse отвечает; вход ${login} выполнен под номером ${extension}, состояние ${state}.`,
  };
}
