import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  answerAsyncAgi,
  isForUs,
  readAsyncAgiExec,
  readAsyncAgiStart,
  readChannelRow,
} from '../../../lib/protocols/async-agi';
import { amiEvent } from '../../support/ami-messages';

/** As Asterisk 22.10 sends it for `AGI(agi:async,…)`, url-encoded. */
function env(args: string[], callerName = 'unknown'): string {
  const fixed = [
    'agi_request: async',
    'agi_channel: PJSIP/trunk-00000065',
    'agi_language: en',
    'agi_type: PJSIP',
    'agi_uniqueid: 1795203655.205',
    'agi_version: 22.10.1+dfsg',
    'agi_callerid: 79261112233',
    `agi_calleridname: ${callerName}`,
    'agi_callingpres: 0',
    'agi_dnid: unknown',
    'agi_context: from-trunk',
    'agi_extension: 74951000101',
    'agi_priority: 1',
    'agi_enhanced: 0.0',
    'agi_accountcode: ',
    'agi_threadid: 140065070192320',
  ];
  const text = [...fixed, ...args.map((arg, index) => `agi_arg_${index + 1}: ${arg}`), '', ''].join('\n');
  return encodeURIComponent(text);
}

const start = (encodedEnv: string, headers: Record<string, string> = {}) =>
  readAsyncAgiStart(
    amiEvent('AsyncAGIStart', {
      Channel: 'PJSIP/trunk-00000065',
      CallerIDNum: '79261112233',
      CallerIDName: 'Иван',
      Exten: '74951000101',
      Uniqueid: '1795203655.205',
      Linkedid: '1795203655.200',
      Env: encodedEnv,
      ...headers,
    }),
  )!;

describe('AsyncAGI', () => {
  it('reads the question of a channel that waits for us', () => {
    const call = start(env(['telephony-crm']));
    assert.deepEqual(call, {
      channel: 'PJSIP/trunk-00000065',
      uniqueid: '1795203655.205',
      args: ['telephony-crm'],
      cut: false,
      question: { phone: '79261112233', trunk: '74951000101', callId: '1795203655.200' },
    });
    assert.ok(isForUs(call));
  });

  it('lets the dialplan name the DID', () => {
    const call = start(env(['telephony-crm', '74951343060']), { Exten: 's' });
    assert.equal(call.question.trunk, '74951343060');
  });

  it('leaves the channels of other programs alone', () => {
    assert.ok(!isForUs(start(env([]))));
    assert.ok(!isForUs(start(env(['other', 'telephony-crm']))));
    assert.ok(isForUs(start(env(['sales-routing'])), 'sales-routing'));
    assert.ok(
      !isForUs(start(env(['other'], 'x\nagi_arg_1: telephony-crm\nagi_threadid: 1\nagi_arg_1: telephony-crm'))),
    );
  });

  it('notices that Asterisk cut the environment before the arguments', () => {
    const call = start(env(['telephony-crm'], 'Яя'.repeat(300)).slice(0, 2045));
    assert.equal(call.cut, true);
    assert.ok(!isForUs(call));
    assert.equal(call.question.phone, '79261112233');
  });

  it('finds the channels that were waiting before we listened', () => {
    const row = (headers: Record<string, string>) =>
      readChannelRow(
        amiEvent('CoreShowChannel', {
          Channel: 'PJSIP/trunk-00000065',
          CallerIDNum: '+79261112233',
          Exten: '74951000101',
          Linkedid: '1795203655.200',
          Application: 'AGI',
          ApplicationData: 'agi:async,telephony-crm',
          ...headers,
        }),
      );
    const call = row({});
    assert.deepEqual(call, {
      channel: 'PJSIP/trunk-00000065',
      uniqueid: '',
      args: ['telephony-crm'],
      cut: false,
      question: { phone: '+79261112233', trunk: '74951000101', callId: '1795203655.200' },
    });
    assert.equal(row({ ApplicationData: 'agi:async,telephony-crm,7495' })?.question.trunk, '7495');
    assert.equal(row({ Application: 'Dial', ApplicationData: 'PJSIP/101' }), undefined);
    assert.equal(row({ ApplicationData: 'hello.agi,telephony-crm' }), undefined);
    assert.equal(row({ ApplicationData: '' }), undefined);
  });

  it('sets what the dialplan needs, and the name on the phone when there is one', () => {
    assert.deepEqual(answerAsyncAgi({ found: true, name: 'Иван\r\nПетров', extension: '101' }), {
      variables: [
        { name: 'CRM_ROUTE_STATUS', value: 'found' },
        { name: 'CRM_ROUTE_NUMBER', value: '101' },
        { name: 'CRM_ROUTE_NAME', value: 'Иван Петров' },
        { name: 'CALLERID(name)', value: 'Иван Петров' },
      ],
      command: 'ASYNCAGI BREAK',
    });
  });

  it('clears what an earlier question may have left, and does not touch the name when nobody is known', () => {
    assert.deepEqual(answerAsyncAgi({ found: false }).variables, [
      { name: 'CRM_ROUTE_STATUS', value: 'nobody' },
      { name: 'CRM_ROUTE_NUMBER', value: '' },
      { name: 'CRM_ROUTE_NAME', value: '' },
    ]);
    const known = answerAsyncAgi({ found: true, name: 'ООО "Ромашка"' });
    assert.equal(known.variables[0]?.value, 'nobody');
    assert.deepEqual(known.variables.at(-1), { name: 'CALLERID(name)', value: 'ООО "Ромашка"' });
    assert.throws(() => answerAsyncAgi({ found: true, extension: '101&102' }), { code: 'PROTOCOL_UNSAFE_EXTENSION' });
  });

  it('sets the variables of an answer too, but none that only we may set, and the name once', () => {
    const own = { CRM_ROUTE_NUMBER: '102', 'SHELL(id)': 'x', evil: 'a\r\nAction: Hangup' };
    const variables = { 'CALLERID(name)': 'Вася', QUEUE_PRIO: '10', ...own };
    const set = (name?: string): unknown =>
      answerAsyncAgi({ found: false, variables, ...(name === undefined ? {} : { name }) }).variables.slice(3);
    const prio = { name: 'QUEUE_PRIO', value: '10' };
    assert.deepEqual(set(), [{ name: 'CALLERID(name)', value: 'Вася' }, prio]);
    assert.deepEqual(set('Пётр'), [{ name: 'CALLERID(name)', value: 'Пётр' }, prio]);
  });

  it('reads what became of a command', () => {
    const done = (result: string, CommandId = 'mine') =>
      readAsyncAgiExec(
        amiEvent('AsyncAGIExec', { Uniqueid: '1.1', CommandId, Result: encodeURIComponent(`${result}\n`) }),
      );
    const read = { uniqueid: '1.1', commandId: 'mine' };
    assert.deepEqual(done('200 result=0 endpos=3520'), { ...read, result: '0', value: '' });
    assert.deepEqual(done('200 result=-1'), { ...read, result: '-1', value: '' });
    assert.deepEqual(done('200 result=1'), { ...read, result: '1', value: '' });
    assert.deepEqual(done('200 result= (timeout)'), { ...read, result: '', value: 'timeout' });
    assert.deepEqual(done('200 result='), { ...read, result: '', value: '' });
    assert.deepEqual(done('200 result=1 (a (b) c)'), { ...read, result: '1', value: 'a (b) c' });
    assert.deepEqual(done('510 Invalid or unknown command'), { ...read, result: '', value: '' });
    assert.equal(done('200 result=0', ''), undefined, 'a command of somebody who wants to know nothing');
  });

  it('never throws on what it reads, and never writes a line end', () => {
    const bytes = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((text) => env([text], text)),
      fc.constantFrom('%', '%0', '%GG', '%FF%FE'),
    );
    fc.assert(
      fc.property(bytes, bytes, (encodedEnv, name) => {
        const call = start(encodedEnv, { CallerIDNum: name, Exten: name });
        assert.equal(typeof isForUs(call), 'boolean');
        for (const { value } of answerAsyncAgi({ found: true, name }).variables) assert.doesNotMatch(value, /[\r\n\0]/);
      }),
    );
    assert.equal(readAsyncAgiStart(amiEvent('AsyncAGIStart')), undefined);
  });
});
