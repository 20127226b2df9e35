import assert from 'node:assert/strict';
import { crmError } from '../../../lib/crm/errors';
import { Health } from '../../../lib/crm/health';
import { silentLog } from '../../../lib/log';
import { recordingError } from '../../../lib/recordings/errors';
import { storeError } from '../../../lib/store/errors';
import { FakeClock } from '../../support/fake-clock';

describe('how a CRM is', () => {
  it('is not judged by what concerns one event, our own limits or our own disk', () => {
    const health = new Health(new FakeClock(), silentLog);
    health.delivered();
    for (const error of [
      crmError('CRM_REFUSED', { host: 'crm', status: 400, words: 'no' }),
      crmError('CRM_NO_USER', { extensions: '101' }),
      crmError('CRM_RECORDING_FORMAT', { file: 'a.gsm' }),
      crmError('CRM_LIMITED', { retryAfterMs: 100 }),
      crmError('CRM_CLOSED'),
      recordingError('RECORDING_MISSING', { file: 'a.wav' }),
      storeError('STORE_FULL', { file: 'store.sqlite', reason: 'ENOSPC' }),
    ]) {
      health.deliveryFailed(error);
      assert.equal(health.state.status, 'ok', error.code);
    }
    health.deliveryFailed(crmError('CRM_LIMITED', { status: 429, retryAfterMs: 100 }));
    assert.equal(health.state.status, 'failing');
  });
});
