import assert from 'node:assert/strict';
import { managerConf } from '../../../lib/pbx/manager-conf';
import { FEATURES, permissionNeeds } from '../../../lib/pbx/permissions';

const needs = permissionNeeds(FEATURES);
/** What Asterisk reads of it: everything but comments. */
const read = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith(';'));

describe('section for manager.conf', () => {
  it('holds the least rights, lets in one address only, and no secret until the admin writes one', () => {
    assert.deepEqual(read(managerConf({ username: 'crm', needs, permit: '10.0.0.5' }, 'en')), [
      '[crm]',
      'deny = 0.0.0.0/0.0.0.0',
      'permit = 10.0.0.5/255.255.255.255',
      'read = system,call,agent,user,cdr,dialplan,agi',
      'write = system,call,agent,agi,reporting,originate',
      'writetimeout = 5000',
    ]);
  });

  it('says when what is ticked gives a shell on the PBX', () => {
    const warns = (features: Parameters<typeof permissionNeeds>[0]) =>
      managerConf({ username: 'crm', needs: permissionNeeds(features) }, 'en').includes('shell');
    assert.ok(warns(['dial', 'control-system']));
    assert.ok(!warns(['dial', 'control']));
    assert.ok(!warns(['control-system']));
  });

  it('is the same for Asterisk in both languages', () => {
    const options = { username: 'crm', needs, permit: '2001:db8::5' };
    const english = read(managerConf(options, 'en'));
    assert.deepEqual(read(managerConf(options, 'ru')), english);
    assert.ok(english.includes('permit = 2001:db8::5/128'));
    assert.ok(english.includes('deny = ::/0'));
  });

  it('offers the filters in the words of both ages of Asterisk, switched off', () => {
    const text = managerConf({ username: 'crm', needs }, 'en');
    assert.match(text, /^;eventfilter\(action\(exclude\),name\(CEL\)\) =$/m);
    assert.match(text, /^;eventfilter = !Event: CEL$/m);
  });

  it('filters out no event that what is ticked needs', () => {
    const filters = (features: Parameters<typeof permissionNeeds>[0]) =>
      managerConf({ username: 'crm', needs: permissionNeeds(features) }, 'en');
    assert.match(filters(['calls']), /^;eventfilter = !Event: VarSet$/m);
    assert.doesNotMatch(filters(['calls', 'dialplan']), /VarSet/);
  });

  it('needs little for the life of calls, and the class dialplan only when it is ticked', () => {
    const text = read(managerConf({ username: 'crm', needs: permissionNeeds(['calls']) }, 'en'));
    assert.ok(text.includes('read = system,call,agent,cdr'));
    assert.ok(text.includes('write = reporting'));
  });

  it('never lets a user name write lines of its own', () => {
    for (const username of ['', 'a]\nread = all', 'general', '; x', 'x'.repeat(80)]) {
      assert.equal(read(managerConf({ username, needs }, 'en'))[0], '[telephony-crm]');
    }
  });
});
