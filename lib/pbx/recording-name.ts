import type { AmiClient, AmiMessage } from '../ami/types';

const ANSWER_MS = 3000;
const VARIABLE = 'MIXMONITOR_FILENAME';

/**
 * The file of a recording that has just begun, as the event that a user with the class `dialplan` would have heard of it;
 * for all others it has to be asked for. `undefined`: the user may not ask, or the channel is gone.
 */
export async function recordingName(client: AmiClient, started: AmiMessage): Promise<AmiMessage | undefined> {
  const [channel, uniqueid, linkedid] = ['Channel', 'Uniqueid', 'Linkedid'].map((header) => started.get(header));
  if (channel === undefined || uniqueid === undefined) return undefined;
  const answer = await client
    .action({ action: 'Getvar', headers: { Channel: channel, Variable: VARIABLE } }, { timeoutMs: ANSWER_MS })
    .catch(() => undefined);
  const file = answer?.name === 'Success' ? answer.get('Value') : undefined;
  if (file === undefined || file === '' || file === '(null)') return undefined;
  const headers: Readonly<Record<string, string>> = {
    Event: 'VarSet',
    Privilege: 'dialplan,all',
    Channel: channel,
    Uniqueid: uniqueid,
    ...(linkedid === undefined ? {} : { Linkedid: linkedid }),
    Variable: VARIABLE,
    Value: file,
  };
  const byLowerName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const get = (header: string): string | undefined => byLowerName.get(header.toLowerCase());
  return {
    kind: 'event',
    name: 'VarSet',
    get,
    all: (header) => [get(header)].filter((value) => value !== undefined),
    toObject: () => Object.assign(Object.create(null) as Record<string, string>, headers),
  };
}
