import assert from 'node:assert/strict';
import type { AmiMessage } from '../../../lib/ami/types';
import { whoseChannels } from '../../../lib/phone/interfaces';
import { currentCall } from '../../../lib/control/current-call';
import { numberingPlan } from '../../../lib/phone';
import { amiEvent } from '../../support/ami-messages';

const whose = whoseChannels('PJSIP/{extension}', numberingPlan({ country: 'RU' }), []);

const channel = (name: string, more: Readonly<Record<string, string>>): AmiMessage =>
  amiEvent('CoreShowChannel', { Channel: name, CallerIDNum: '<unknown>', ...more });
const at = (channels: readonly AmiMessage[], extension = '101') =>
  currentCall({ list: () => Promise.resolve([...channels]) }, whose, extension);

describe('the call on a phone', () => {
  const CLIENT = '89066800404';
  const provider = channel('PJSIP/provider-1', {
    ...{ Uniqueid: '1.1', Linkedid: '1.1', CallerIDNum: CLIENT, ChannelState: '6', BridgeId: 'b' },
  });

  it('is the client whom it talks with', async () => {
    const own = { Uniqueid: '1.2', Linkedid: '1.1', CallerIDNum: '101' };
    const talking = channel('PJSIP/101-2', { ...own, ChannelState: '6', BridgeId: 'b' });
    const waiting = channel('PJSIP/101-3', { Uniqueid: '1.3', Linkedid: '1.3', ChannelState: '5' });
    assert.deepEqual(await at([provider, talking, waiting]), { legId: '1.1', number: CLIENT });
  });

  it('is who makes it ring, when it does not talk', async () => {
    const caller = channel('PJSIP/provider-1', { Uniqueid: '1.1', Linkedid: '1.1', CallerIDNum: CLIENT });
    const ringing = channel('PJSIP/101-2', { Uniqueid: '1.2', Linkedid: '1.1', ChannelState: '5', BridgeId: '' });
    assert.deepEqual(await at([caller, ringing]), { legId: '1.1', number: CLIENT });
    const colleague = channel('PJSIP/102-1', { Uniqueid: '1.1', Linkedid: '1.1', CallerIDNum: '102' });
    assert.deepEqual(await at([colleague, ringing]), { legId: '1.1', number: '102' });
  });

  it('is the client behind the Local channels of a queue', async () => {
    const calls = [
      provider,
      channel('Local/101@queue-0001;1', { Uniqueid: '1.2', Linkedid: '1.1', ChannelState: '6', BridgeId: 'b' }),
      channel('Local/101@queue-0001;2', { Uniqueid: '1.3', Linkedid: '1.1', ChannelState: '6', BridgeId: 'c' }),
      channel('PJSIP/101-2', { Uniqueid: '1.4', Linkedid: '1.1', ChannelState: '6', BridgeId: 'c' }),
    ];
    assert.deepEqual(await at(calls), { legId: '1.1', number: CLIENT });
  });

  it('has no number when the caller has none, and is none of a longer extension', async () => {
    const own = channel('PJSIP/101-2', { Uniqueid: '1.2', Linkedid: '1.2', ChannelState: '6', BridgeId: '' });
    assert.deepEqual(await at([own]), { legId: '1.2', number: '' });
    assert.equal(await at([channel('PJSIP/1011-2', { Uniqueid: '1.2', Linkedid: '1.2' }), provider]), undefined);
    assert.equal(await at([channel('Local/101@office-00000001;1', { Uniqueid: '1.2', Linkedid: '1.2' })]), undefined);
  });
});
