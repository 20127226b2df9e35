import assert from 'node:assert/strict';
import type { AmiAction, AmiClient, AmiMessage } from '../../../lib/ami/types';
import { recordingName } from '../../../lib/pbx/recording-name';
import { amiEvent, amiMessage } from '../../support/ami-messages';

const started = amiEvent('MixMonitorStart', { Channel: 'PJSIP/trunk-1', Uniqueid: '1.1', Linkedid: '1.1' });

describe('the name of a recording', () => {
  const asked: AmiAction[] = [];
  const client = (answer: AmiMessage | Error) =>
    ({
      action: (action: AmiAction) => {
        asked.push(action);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    }) as unknown as AmiClient;

  it('is asked for on the channel that is recorded, and told as the event of it', async () => {
    const answer = amiMessage('response', 'Success', [['Value', '/var/spool/asterisk/monitor/1.wav']]);
    const event = await recordingName(client(answer), started);
    assert.deepEqual(asked.at(-1)?.headers, { Channel: 'PJSIP/trunk-1', Variable: 'MIXMONITOR_FILENAME' });
    assert.equal(event?.name, 'VarSet');
    assert.equal(event.get('uniqueID'), '1.1');
    assert.deepEqual(
      [event.get('Variable'), event.get('Value'), event.all('Timestamp')],
      ['MIXMONITOR_FILENAME', '/var/spool/asterisk/monitor/1.wav', []],
    );
  });

  it('stays unknown when the user may not ask, or the channel is gone', async () => {
    assert.equal(await recordingName(client(amiMessage('response', 'Error', [])), started), undefined);
    assert.equal(await recordingName(client(new Error('link lost')), started), undefined);
    assert.equal(await recordingName(client(amiMessage('response', 'Success', [['Value', '']])), started), undefined);
    assert.equal(await recordingName(client(new Error()), amiEvent('MixMonitorStart')), undefined);
  });
});
