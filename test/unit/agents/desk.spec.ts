import assert from 'node:assert/strict';
import { Desk } from '../../../lib/agents/desk';
import { DeskMemory } from '../../../lib/agents/memory';
import { PopTemplate } from '../../../lib/agents/pop-url';
import { TelephonyError } from '../../../lib/errors';
import type { QueueMessage } from '../../../lib/messages/queues';
import type { CallMessage, CallPayload, Client } from '../../../lib/messages/types';
import { FakeClock } from '../../support/fake-clock';

const ringing = (client: Client): CallMessage => {
  const payload: CallPayload = {
    eventId: 'office:1:call_ringing',
    pbx: 'office',
    callId: '1',
    direction: 'in',
    extension: '101',
    client,
    line: {},
    startedAt: '2026-07-20T09:05:00Z',
  };
  return { topic: 'call_ringing', payload };
};

const refused = () => Promise.reject(new Error('not asked'));

describe('the region of the client on the page of agents', () => {
  function opened(client: Client): { readonly url: string; readonly shown: string | undefined } {
    const clock = new FakeClock(Date.parse('2026-07-20T09:05:00Z'));
    const message = ringing(client);
    const desk = new Desk(
      {
        templates: { known: new PopTemplate('https://crm.example.com/?where=%region_name%&time=%region_time%') },
        popAt: 'ringing',
        tab: false,
        history: false,
        userOf: () => undefined,
      },
      {
        clock,
        calls: { current: [message], isKnown: true },
        members: () => undefined,
        run: refused,
        runAgent: refused,
      },
      new DeskMemory(clock),
    );
    const urls: string[] = [];
    const end = desk.feed.listen('101', ({ name, data }) => {
      if (name === 'pop') urls.push((data as { url: string }).url);
    });
    desk.onCall(message);
    end();
    return { url: urls.join(' '), shown: desk.stateOf('101').calls[0]?.region };
  }

  it('is that of the message, which knows the table of the admin', () => {
    const region = { country: 'RU', name: 'Омская область', timeZone: 'Asia/Omsk' };
    assert.deepEqual(opened({ number: '+79031112233', e164: '+79031112233', region }), {
      url: `https://crm.example.com/?where=${encodeURIComponent(region.name)}&time=15%3A05`,
      shown: 'Омская область',
    });
  });

  it('is empty rather than wrong', () => {
    const { url, shown } = opened({ number: '+79031112233', e164: '+79031112233', region: { country: 'RU' } });
    assert.deepEqual([url, shown], ['https://crm.example.com/?where=&time=', undefined]);
  });
});

describe('a consultation on the page of agents', () => {
  const message: CallMessage = { ...ringing({ number: '79031112233' }), topic: 'call_answer' };
  const made = () => {
    const clock = new FakeClock();
    const memory = new DeskMemory(clock);
    const orders: string[] = [];
    let refusal: string | undefined;
    let meanwhile: readonly CallMessage['topic'][] = [];
    const desk = new Desk(
      { templates: {}, popAt: 'never', tab: false, history: false, userOf: () => undefined },
      {
        clock,
        calls: { current: [message], isKnown: true },
        members: () => undefined,
        run: ({ action }) => {
          orders.push(action);
          for (const topic of meanwhile) desk.onCall({ ...message, topic } as CallMessage);
          if (refusal !== undefined) return Promise.reject(new TelephonyError(refusal, { en: 'no', ru: 'нет' }));
          return Promise.resolve({ action, callId: '1' });
        },
        runAgent: refused,
      },
      memory,
    );
    return {
      desk,
      act: (action: string) => desk.act('101', { action, legId: '1', to: '102' }),
      refuse: (code: string | undefined) => (refusal = code),
      during: (topics: readonly CallMessage['topic'][]) => (meanwhile = topics),
      shown: () => desk.stateOf('101').calls.map(({ consulting }) => consulting === true),
    };
  };

  it('is in the state of every page, from its beginning to its end', async () => {
    const { desk, act, shown } = made();
    const told: unknown[] = [];
    const end = desk.feed.listen('101', ({ name }) => told.push(name));
    await act('attended-transfer');
    assert.deepEqual([shown(), told], [[true], ['state']]);
    await act('hold');
    assert.deepEqual(shown(), [true]);
    await act('cancel-transfer');
    assert.deepEqual([shown(), told], [[false], ['state', 'state']]);
    end();
  });

  it('is over when the PBX says that the phone has its client again, even before it is known to have begun', async () => {
    const { desk, act, shown, during } = made();
    const told = (topic: 'call_held' | 'call_active') => desk.onCall({ ...message, topic });
    await act('attended-transfer');
    told('call_held');
    assert.deepEqual(shown(), [true]);
    told('call_active');
    assert.deepEqual(shown(), [false]);
    during(['call_held', 'call_active']);
    await act('attended-transfer');
    assert.deepEqual(shown(), [false]);
    // The phone is given the keys first: that puts the client aside, and back.
    during(['call_held', 'call_active', 'call_held']);
    await act('attended-transfer');
    assert.deepEqual(shown(), [true]);
  });

  it('is not, because a second one could not begin', async () => {
    const { act, refuse, shown } = made();
    await act('attended-transfer');
    refuse('CONTROL_NOT_POSSIBLE');
    await assert.rejects(act('attended-transfer'), { code: 'CONTROL_NOT_POSSIBLE' });
    assert.deepEqual(shown(), [true]);
  });

  it('is not, because the colleague has not answered yet', async () => {
    const { act, refuse, shown } = made();
    await act('attended-transfer');
    refuse('CONTROL_NOT_ANSWERED');
    await assert.rejects(act('complete-transfer'), { code: 'CONTROL_NOT_ANSWERED' });
    assert.deepEqual(shown(), [true]);
  });

  it('is over when Asterisk knows of none, or the call has ended, and not when it merely was not heard', async () => {
    const { desk, act, refuse, shown } = made();
    await act('attended-transfer');
    refuse('AMI_TIMEOUT');
    await assert.rejects(act('complete-transfer'), { code: 'AMI_TIMEOUT' });
    assert.deepEqual(shown(), [true]);
    refuse('CONTROL_NOT_POSSIBLE');
    await assert.rejects(act('hold'), { code: 'CONTROL_NOT_POSSIBLE' });
    assert.deepEqual(shown(), [true]);
    await assert.rejects(act('cancel-transfer'), { code: 'CONTROL_NOT_POSSIBLE' });
    assert.deepEqual(shown(), [false]);
    refuse(undefined);
    await act('attended-transfer');
    desk.onCall({ ...message, topic: 'call_hangup' });
    assert.deepEqual(shown(), [false]);
  });
});

describe('the card on the page of agents', () => {
  const WRAP_UP_MS = 15 * 60_000;
  const ring = ringing({ number: '79031112233' });
  const made = () => {
    const clock = new FakeClock();
    const calls: { current: readonly CallMessage[]; isKnown: boolean } = { current: [ring], isKnown: true };
    const desk = new Desk(
      {
        templates: { known: new PopTemplate('https://crm.example.com/?id=%uniqueid%') },
        popAt: 'ringing',
        tab: false,
        history: false,
        userOf: () => undefined,
      },
      { clock, calls, members: () => undefined, run: refused, runAgent: refused },
      new DeskMemory(clock),
    );
    return {
      clock,
      desk,
      hangUp: (callId: string) => {
        calls.current = calls.current.filter(({ payload }) => payload.callId !== callId);
        desk.onCall({ topic: 'call_hangup', payload: { ...ring.payload, callId } });
      },
      shown: () => desk.stateOf('101').card?.url,
    };
  };

  it('stays as long as the call, and fifteen minutes for the work after it', () => {
    const { clock, desk, hangUp, shown } = made();
    desk.onCall(ring);
    clock.advance(60 * 60_000);
    assert.equal(shown(), 'https://crm.example.com/?id=1');
    hangUp('1');
    clock.advance(WRAP_UP_MS - 1);
    assert.equal(shown(), 'https://crm.example.com/?id=1');
    // Neither the end of another call nor the same end told again prolongs it.
    hangUp('1');
    hangUp('2');
    clock.advance(1);
    assert.equal(shown(), undefined);
  });

  it('of no call stays fifteen minutes from its opening', () => {
    const { clock, desk, hangUp, shown } = made();
    hangUp('1');
    desk.push({ extension: '101', url: 'https://crm.example.com/pushed' });
    clock.advance(WRAP_UP_MS - 1);
    assert.equal(shown(), 'https://crm.example.com/pushed');
    clock.advance(1);
    assert.equal(shown(), undefined);
  });
});

describe('the address that the page of agents opens', () => {
  it('knows the twelve parameters of the scripts, and what a queue told before what the call has', () => {
    const clock = new FakeClock(Date.parse('2026-07-20T09:05:00Z'));
    const names = ['callerid', 'directid', 'region_name', 'region_time', 'queue_id', 'queue_name', 'uniqueid'];
    names.push('agent_id', 'agent_phone', 'agent_name', 'agent_info', 'call_info');
    const known = new PopTemplate(`show_vars?${names.map((name) => `${name}=%${name}%`).join('&')}`);
    const desk = new Desk(
      {
        templates: { known },
        popAt: 'never',
        tab: false,
        history: false,
        userOf: (extension) => (extension === '101' ? { id: '7', name: 'Анна' } : undefined),
      },
      {
        clock,
        calls: { current: [], isKnown: true },
        members: () => undefined,
        run: refused,
        runAgent: refused,
      },
      new DeskMemory(clock),
    );
    const { payload } = ringing({ number: '79031112233', region: { country: 'RU', timeZone: 'Asia/Omsk' } });
    const call = {
      ...payload,
      line: { number: '74951000170' },
      queue: { id: 'support' },
      variables: { call_info: '1' },
    };
    const shown = (extension: string): readonly string[] => {
      desk.push({ extension, call });
      const { url = '' } = desk.stateOf(extension).card ?? {};
      return [...new URLSearchParams(url.replace('show_vars?', '')).values()];
    };
    const ofCall = ['79031112233', '74951000170', '', '15:05', 'support', 'support', '1'];
    assert.deepEqual(shown('101'), [...ofCall, '7', '101', 'Анна', '', '1']);
    const agent = { id: '7', phone: '101', info: 'senior' };
    const told = { eventId: 'e', pbx: 'office', callId: '1', at: '', direction: 'in', agent, callInfo: 'VIP' } as const;
    desk.onQueue({ topic: 'agent-dial', payload: told } satisfies QueueMessage);
    assert.deepEqual(shown('101'), [...ofCall, '7', '101', 'Анна', 'senior', 'VIP']);
    assert.deepEqual(shown('105').slice(7, 10), ['105', '105', '']);
  });
});

describe('what the page of agents shows of a client', () => {
  const ring = ringing({ number: '79031112233', name: 'as the trunk says' });
  const made = () => {
    const clock = new FakeClock();
    const calls: { current: readonly CallMessage[]; isKnown: boolean } = { current: [ring], isKnown: true };
    const desk = new Desk(
      {
        templates: { known: new PopTemplate('https://crm.example.com/?id=%uniqueid%') },
        popAt: 'ringing',
        tab: false,
        history: false,
        userOf: () => undefined,
      },
      { clock, calls, members: () => undefined, run: refused, runAgent: refused },
      new DeskMemory(clock),
    );
    return { clock, calls, desk, card: () => desk.stateOf('101').card?.url };
  };
  const AFTER_CALL_MS = 15 * 60_000;

  it('is the name that a flow told, to that agent alone', () => {
    const { desk } = made();
    const told: unknown[] = [];
    const end = desk.feed.listen('101', ({ name, data }) => told.push([name, data]));
    desk.push({ extension: '105', call: ring.payload, name: 'for another' });
    assert.equal(desk.stateOf('101').calls[0]?.name, 'as the trunk says');
    desk.push({ extension: '101', call: ring.payload, name: 'Ольга' });
    assert.equal(desk.stateOf('101').calls[0]?.name, 'Ольга');
    assert.match(JSON.stringify(told), /"state",\{[^\n]*Ольга/);
    end();
  });

  it('is the card for 15 minutes after a call whose end nobody heard', () => {
    const { clock, calls, desk, card } = made();
    desk.onCall(ring);
    Object.assign(calls, { current: [], isKnown: false });
    desk.listed();
    clock.advance(2 * AFTER_CALL_MS);
    assert.equal(card(), 'https://crm.example.com/?id=1');
    calls.isKnown = true;
    desk.listed();
    clock.advance(AFTER_CALL_MS - 1);
    assert.equal(card(), 'https://crm.example.com/?id=1');
    clock.advance(1);
    assert.equal(card(), undefined);
  });

  it('is the card as long as the call, when the list has it', () => {
    const { clock, desk, card } = made();
    desk.onCall(ring);
    desk.listed();
    clock.advance(2 * AFTER_CALL_MS);
    assert.equal(card(), 'https://crm.example.com/?id=1');
  });

  it('is the card for 15 minutes when a flow opens it after the call', () => {
    const { clock, calls, desk, card } = made();
    calls.current = [];
    desk.push({ extension: '101', call: ring.payload });
    clock.advance(AFTER_CALL_MS - 1);
    assert.equal(card(), 'https://crm.example.com/?id=1');
    clock.advance(1);
    assert.equal(card(), undefined);
  });
});
