import assert from 'node:assert/strict';
import type { AmiPhase } from '../../lib/ami/types';
import { amiError, badValue } from '../../lib/ami/errors';
import { TelephonyError } from '../../lib/errors';
import { pbxError } from '../../lib/pbx/errors';
import { unusablePbx } from '../../lib/pbx/unusable';
import { linkStatus } from '../../nodes/runtime/link-status';

describe('the status of a link', () => {
  const word = (error: TelephonyError, phase: AmiPhase = 'refused'): string =>
    linkStatus(unusablePbx('office', error), { phase, since: 0, error, session: 0 }).text?.split('.').at(-1) ?? '';

  it('names what to do, not "lost", when trying again cannot help', () => {
    const place = { place: 'pbx:5038', username: 'u', message: 'no' };
    assert.equal(word(badValue('Login', 'Username', 'tooLong', { limit: 1024 })), 'settings');
    assert.equal(word(amiError('AMI_LOGIN_REFUSED', place)), 'login');
    assert.equal(word(amiError('AMI_NO_MD5', place)), 'md5');
    assert.equal(word(amiError('AMI_CONNECT_FAILED', place)), 'unreachable');
    assert.equal(word(pbxError('PBX_BAD_SETTINGS', {})), 'settings');
  });

  it('says "lost" for a link that broke and comes back by itself', () => {
    assert.equal(word(amiError('AMI_LINK_LOST', { place: 'pbx:5038', reason: 'x' }), 'waiting'), 'lost');
    assert.equal(word(new TelephonyError('OF_TOMORROW', { en: '', ru: '' }), 'waiting'), 'lost');
  });
});
