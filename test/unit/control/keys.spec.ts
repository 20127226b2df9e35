import assert from 'node:assert/strict';
import { mayPressKeys, type LiveChannel } from '../../../lib/control/channels';

const channel = (name: string, application: string, data = '', bridge = 'b1'): LiveChannel => ({
  ...{ name, id: name, linkedid: '1.1', application, arguments: data, bridge },
  ...{ isLocal: name.startsWith('Local/'), isUp: true, isRinging: false, isAside: false },
});
const CALLED = '(Outgoing Line)';

describe('the keys of a phone', () => {
  const may = (other: LiveChannel, own: readonly [string, string] = ['AppDial', CALLED]): string => {
    const leg = channel('PJSIP/101-2', ...own);
    return mayPressKeys([leg, other, channel('PJSIP/102-3', 'Dial', 'PJSIP/103,,tT', 'b2')], leg);
  };

  it('are listened to if whatever called it has the option t', () => {
    const freePbx = 'PJSIP/101/sip:101@10.0.0.1:5060,,HhTtrM(auto-blkvm)b(func-apply-sipheaders^s^1)';
    assert.equal(may(channel('PJSIP/trunk-1', 'Dial', freePbx)), 'yes');
    assert.equal(may(channel('PJSIP/trunk-1', 'Queue', 'support,t,,,30'), ['AppQueue', CALLED]), 'yes');
    assert.equal(may(channel('Local/101@from-queue-1;2', 'Dial', 'PJSIP/101,60,t')), 'yes');
  });

  it('are listened to if it called with the option T, or was given it', () => {
    const called = channel('PJSIP/trunk-1', 'AppDial', CALLED);
    assert.equal(may(called, ['Dial', 'PJSIP/7903@trunk,60,T']), 'yes');
    assert.equal(may(called, ['Bridge', 'PJSIP/trunk-1,T']), 'yes');
    assert.equal(may(called, ['Dial', 'PJSIP/7903@trunk,60,t']), 'perhaps');
  });

  it('are perhaps not where nothing tells, or the Local channel of the queue has gone', () => {
    assert.equal(may(channel('PJSIP/trunk-1', 'Dial', 'PJSIP/101,20')), 'perhaps');
    assert.equal(may(channel('PJSIP/trunk-1', 'Dial', 'PJSIP/101,20,b(t^s^1)M(t)')), 'perhaps');
    assert.equal(may(channel('PJSIP/trunk-1', '')), 'perhaps');
    assert.equal(may(channel('PJSIP/trunk-1', 'Queue', 'support,t'), ['AppDial', CALLED]), 'perhaps');
  });

  it('are not where they would go on to a Local channel', () => {
    assert.equal(may(channel('Local/101@from-internal-1;2', 'Dial', 'PJSIP/101,60')), 'no');
  });
});
