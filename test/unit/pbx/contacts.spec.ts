import assert from 'node:assert/strict';
import type { AmiMessage } from '../../../lib/ami/types';
import { createContacts } from '../../../lib/pbx/contacts';
import { createPbx } from '../../../lib/pbx/pbx';
import { numberingPlan } from '../../../lib/phone';
import { amiEvent, amiMessage } from '../../support/ami-messages';
import { FakeClock } from '../../support/fake-clock';
import { until } from '../../support/wait';

/** A PBX of phones and their contacts; it counts what it is asked. */
class Phones {
  asked = 0;
  readonly clock = new FakeClock();
  refuses = false;

  constructor(readonly contacts: Record<string, readonly string[]>) {}

  list(): Promise<AmiMessage[]> {
    this.asked += 1;
    return Promise.resolve(Object.keys(this.contacts).map((name) => amiEvent('DeviceStateChange', { Device: name })));
  }

  action({ headers }: { readonly headers?: Readonly<Record<string, unknown>> }): Promise<AmiMessage> {
    this.asked += 1;
    if (this.refuses) return Promise.resolve(amiMessage('response', 'Error', [['Message', 'Permission denied']]));
    return Promise.resolve(amiMessage('response', 'Success', [['Value', this.told(String(headers?.Variable))]]));
  }

  private told(name: string): string {
    const [, kind, argument = '', field] = /^PJSIP_(\w+)\((.*),(\w+)\)$/.exec(name) ?? [];
    const [extension = '', index = ''] = argument.split(';@');
    const uris = this.contacts[`PJSIP/${extension}`] ?? [];
    if (kind === 'ENDPOINT') return extension;
    if (kind === 'AOR') return uris.map((_uri, at) => `${extension};@${at}`).join(',');
    return field === 'uri' ? (uris[Number(index)] ?? '') : '';
  }

  whoIsAt(addresses?: ReadonlyMap<string, string>) {
    const plan = numberingPlan({ country: 'RU' });
    return createContacts({
      client: this,
      clock: this.clock,
      isExtension: (text) => plan.isExtension(text),
      ...(addresses ? { addresses } : {}),
    });
  }
}

describe('who sits at an address', () => {
  const office = {
    'PJSIP/101': ['sip:101@10.0.0.5:5060;transport=tcp', 'sip:101@10.0.0.6'],
    'PJSIP/102': ['sips:102@[2001:db8::5]:5061'],
    'PJSIP/103': ['sip:10.0.0.7'],
    'PJSIP/104': ['sip:104@10.0.0.7'],
    'PJSIP/105': ['sip:105@softphone.example.com'],
    'PJSIP/provider': ['sip:provider@10.0.0.5'],
    'PJSIP/1),X(': ['sip:x@10.0.0.9'],
    'Queue:support': [],
  };

  it('is whose phone is registered from there', async () => {
    const whoIsAt = new Phones(office).whoIsAt();
    assert.deepEqual(await whoIsAt('10.0.0.5'), ['101']);
    assert.deepEqual(await whoIsAt('::ffff:10.0.0.6'), ['101']);
    assert.deepEqual(await whoIsAt('2001:DB8::5'), ['102']);
    assert.deepEqual([...(await whoIsAt('10.0.0.7'))].sort(), ['103', '104']);
    assert.deepEqual(await whoIsAt('10.0.0.8'), []);
    assert.deepEqual(await whoIsAt('softphone.example.com'), []);
  });

  it('is first of all whom the table names', async () => {
    const phones = new Phones(office);
    const whoIsAt = phones.whoIsAt(new Map([['10.0.0.7', '104']]));
    assert.deepEqual(await whoIsAt('10.0.0.7'), ['104']);
    assert.equal(phones.asked, 0);
  });

  it('is asked once for all who ask at once, and again after some seconds', async () => {
    const phones = new Phones({ 'PJSIP/101': ['sip:101@10.0.0.5'] });
    const whoIsAt = phones.whoIsAt();
    await Promise.all(Array.from({ length: 100 }, () => whoIsAt('10.0.0.5')));
    const once = phones.asked;
    phones.contacts['PJSIP/102'] = ['sip:102@10.0.0.6'];
    assert.deepEqual(await whoIsAt('10.0.0.6'), []);
    assert.equal(phones.asked, once);
    phones.clock.advance(3001);
    assert.deepEqual(await whoIsAt('10.0.0.6'), ['102']);
  });

  it('is not "nobody" when the PBX does not say', async () => {
    const phones = new Phones(office);
    phones.refuses = true;
    const whoIsAt = phones.whoIsAt();
    await assert.rejects(whoIsAt('10.0.0.5'), { code: 'PBX_CONTACTS_REFUSED' });
    phones.refuses = false;
    assert.deepEqual(await whoIsAt('10.0.0.5'), ['101']);
  });

  it('is the first phone of the simulator, for whoever asks from this computer', async () => {
    const pbx = createPbx({
      name: 'simulator',
      plan: numberingPlan({ country: 'RU' }),
      connection: { kind: 'simulator' },
    });
    try {
      pbx.open();
      await until(() => pbx.client.state.phase === 'ready', 'the link');
      assert.deepEqual(await pbx.whoIsAt('127.0.0.1'), ['101']);
      assert.deepEqual(await pbx.whoIsAt('192.0.2.99'), []);
    } finally {
      await pbx.close();
    }
  });
});
