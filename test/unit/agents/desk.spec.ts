import assert from 'node:assert/strict';
import { Desk } from '../../../lib/agents/desk';
import { DeskMemory } from '../../../lib/agents/memory';
import { PopTemplate } from '../../../lib/agents/pop-url';
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
