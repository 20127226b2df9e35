import assert from 'node:assert/strict';
import { problemsOf, UserCrmDouble } from '../../doubles/usercrm';

const envelope = { action_id: '1b9b58c9-1787-4f80-8e39-8d2affac90d3', obj: 'UserCRM', code: 200, notifies: [] };
const hangup = {
  call_id: '7c97ce9e-97aa-4549-9a92-e0d63f570db8',
  session_id: '93758923-1664-44eb-ae6c-59b27c53b805',
  crm_user: '3',
  domain_user: '9022',
  other_leg: '+74952523060',
  rt_vars: { hangup_cause: 'NORMAL_CLEARING' },
  direction: 0,
  variable_answersec: '9',
};

describe('the double of a UserCRM', () => {
  const told = (body: object, more: object = {}) =>
    problemsOf(JSON.stringify({ action: 'call_hangup', ...envelope, ...more, body }));

  it('finds nothing wrong with the message of the document', () => {
    assert.deepEqual(told(hangup), []);
  });

  it('tells each field that is missing, too much or of another type', () => {
    const { crm_user: user, ...without } = hangup;
    assert.equal(user, '3');
    assert.deepEqual(told(without), ['body.crm_user is missing']);
    assert.deepEqual(told({ ...hangup, crm_user: 3 }), ['body.crm_user is number, not string']);
    assert.deepEqual(told({ ...hangup, variable_answersec: 9 }), ['body.variable_answersec is number, not string']);
    assert.deepEqual(told({ ...hangup, direction: '0' }), ['body.direction is string, not number']);
    assert.deepEqual(told({ ...hangup, rt_vars: {} }), ['body.rt_vars.hangup_cause is missing']);
    assert.deepEqual(told({ ...hangup, colour: 1 }), ['body.colour is not in the document']);
  });

  it('tells a wrong envelope', () => {
    assert.deepEqual(told(hangup, { action_id: '123' }), ['action_id is no UUID']);
    assert.deepEqual(told(hangup, { notifies: null, code: '200' }), ['code is not 200', 'notifies is no empty list']);
    assert.deepEqual(told(hangup, { action: 'call_lost' }), ['there is no event "call_lost"']);
  });

  it('wants the moment of a record as a float', () => {
    const body = '{"id":1,"dt":1633333012}';
    const raw = (dt: string) => `{"action":"cdr_append","body":${body.replace('1633333012', dt)}}`;
    assert.ok(problemsOf(raw('1633333012')).includes('body.dt is no float'));
    assert.ok(!problemsOf(raw('1633333012.0')).includes('body.dt is no float'));
  });

  it('looks at the key, except in the test', async () => {
    const crm = await new UserCrmDouble().start();
    try {
      const ask = (action: string, key: string) =>
        fetch(crm.url, {
          method: 'POST',
          headers: { Authorization: key },
          body: JSON.stringify({ action, ...envelope }),
        });
      assert.equal((await ask('test', '')).status, 200);
      assert.equal((await ask('get_users', '')).status, 401);
      assert.equal((await ask('get_users', `Bearer ${crm.key}`)).status, 200);
      assert.equal((await ask('call_hangup', crm.key)).status, 401);
    } finally {
      await crm.stop();
    }
  });
});
