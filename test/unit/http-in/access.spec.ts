import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { TelephonyError } from '../../../lib/errors';
import { Access } from '../../../lib/http-in/access';
import type { AccessOptions } from '../../../lib/http-in/access';

/** A request as Node makes it: the first of a repeated Authorization in `headers`, all in `rawHeaders`. */
function request(from: string, headers: readonly (readonly [string, string])[] = []): IncomingMessage {
  const merged: Record<string, string> = {};
  for (const [name, value] of headers) merged[name.toLowerCase()] ??= value;
  return { headers: merged, rawHeaders: headers.flat(), socket: { remoteAddress: from } } as unknown as IncomingMessage;
}

function refusal(options: Partial<AccessOptions>, from: string, ...headers: (readonly [string, string])[]) {
  const refused = new Access({ allowList: '127.0.0.1, ::1', ...options }).refuse(request(from, headers));
  return refused && `${refused.status} ${refused.error.code}`;
}

const bearer = (key: string) => ['Authorization', `Bearer ${key}`] as const;
const browser = ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0'] as const;
const WRONG = '401 PROTOCOL_UNAUTHORIZED';
const KEY_NEEDED = '403 HTTP_KEY_NEEDED';

describe('who may ask over HTTP', () => {
  it('an allowed address without a key, written in any of its ways', () => {
    for (const from of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) assert.equal(refusal({}, from), undefined, from);
    assert.equal(refusal({ allowList: '10.0.0.0/8; fe80::/10' }, '10.200.3.4'), undefined);
    assert.equal(refusal({ allowList: '10.0.0.0/8 fe80::/10' }, 'fe80::1%eth0'), undefined);
    assert.equal(refusal({ allowList: '10.0.0.0/8' }, '::ffff:10.1.1.1'), undefined);
  });

  it('nobody else without a key', () => {
    assert.equal(refusal({}, '192.0.2.1'), '403 PROTOCOL_FORBIDDEN');
    assert.equal(refusal({ apiKey: 'k' }, '192.0.2.1'), WRONG);
    assert.equal(refusal({ allowList: '' }, '127.0.0.1'), '403 PROTOCOL_FORBIDDEN');
    assert.equal(refusal({ allowList: '10.0.0.0/8' }, '11.0.0.1'), '403 PROTOCOL_FORBIDDEN');
    assert.equal(refusal({ allowList: '0.0.0.0/0' }, '2001:db8::1'), '403 PROTOCOL_FORBIDDEN');
  });

  it('whoever has the key, from anywhere', () => {
    assert.equal(refusal({ apiKey: 'secret' }, '192.0.2.1', bearer('secret')), undefined);
    assert.equal(refusal({ apiKey: 'secret' }, '192.0.2.1', ['authorization', 'bearer  secret ']), undefined);
  });

  it('nobody with a wrong key, not even an allowed address', () => {
    for (const header of ['Bearer wrong', 'Bearer ', 'Bearer', '', 'secret', 'Basic c2VjcmV0', 'Bearer secret extra']) {
      assert.equal(refusal({ apiKey: 'secret' }, '127.0.0.1', ['Authorization', header]), WRONG, header);
    }
    assert.equal(refusal({}, '127.0.0.1', bearer('any')), WRONG);
    assert.equal(refusal({ apiKey: '' }, '127.0.0.1', bearer('')), WRONG);
  });

  it('nobody with two keys, one of which may be right', () => {
    const twice = refusal({ apiKey: 'secret' }, '127.0.0.1', bearer('secret'), ['authorization', 'Bearer secret']);
    assert.equal(twice, '400 HTTP_AUTHORIZATION_REPEATED');
  });

  describe('behind a trusted proxy', () => {
    const trustedProxies = '10.0.0.1, 10.0.0.2';
    const via = (...values: string[]) => values.map((value) => ['X-Forwarded-For', value] as const);
    const address = (from: string, ...headers: (readonly [string, string])[]) =>
      new Access({ allowList: '', trustedProxies }).addressOf(request(from, headers));

    it('the address that it was asked from counts, whatever the asker claims before it', () => {
      assert.equal(address('10.0.0.1', ...via('192.0.2.7')), '192.0.2.7');
      assert.equal(address('10.0.0.1', ...via('127.0.0.1, 192.0.2.7')), '192.0.2.7');
      assert.equal(address('10.0.0.1', ...via('127.0.0.1', '192.0.2.7')), '192.0.2.7');
      assert.equal(address('::ffff:10.0.0.1', ...via('127.0.0.1, 192.0.2.7, 10.0.0.2')), '192.0.2.7');
      assert.equal(refusal({ allowList: '192.0.2.0/24', trustedProxies }, '10.0.0.1', ...via('192.0.2.7')), undefined);
      const forged = via('192.0.2.7, 198.51.100.1');
      assert.equal(
        refusal({ allowList: '192.0.2.0/24', trustedProxies }, '10.0.0.1', ...forged),
        '403 PROTOCOL_FORBIDDEN',
      );
    });

    it('nobody is known by what cannot be read, or by the proxies alone', () => {
      for (const value of ['', 'unknown', '192.0.2.7, x', '10.0.0.2', '192.0.2.7:5060']) {
        assert.equal(address('10.0.0.1', ...via(value)), undefined, value);
      }
      assert.equal(address('10.0.0.1', ['Forwarded', 'for=192.0.2.7']), undefined);
      assert.equal(address('10.0.0.1'), '10.0.0.1');
    });

    it('the header of everybody else hides who asks', () => {
      assert.equal(address('192.0.2.1', ...via('192.0.2.7')), undefined);
      assert.equal(address('192.0.2.1'), '192.0.2.1');
    });
  });

  it('nobody without a key behind a proxy: its address says nothing about who asks', () => {
    const names = ['Forwarded', 'Via', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP'];
    for (const name of names) {
      assert.equal(refusal({ apiKey: 'k' }, '127.0.0.1', [name, '127.0.0.1']), WRONG, name);
      assert.equal(refusal({}, '127.0.0.1', [name, '']), KEY_NEEDED, name);
      assert.equal(refusal({ apiKey: 'k' }, '127.0.0.1', [name, '192.0.2.7'], bearer('k')), undefined, name);
    }
  });

  it('no web page without a key, whatever machine it is open on', () => {
    const evil = ['Origin', 'http://evil.example'] as const;
    assert.equal(refusal({}, '127.0.0.1', evil), KEY_NEEDED);
    assert.equal(refusal({ apiKey: 'k' }, '127.0.0.1', evil), WRONG);
    assert.equal(refusal({ apiKey: 'k' }, '127.0.0.1', evil, bearer('k')), undefined);
    for (const site of ['cross-site', 'same-site', 'same-origin', '']) {
      assert.equal(refusal({}, '127.0.0.1', ['Sec-Fetch-Site', site]), KEY_NEEDED, site);
    }
  });

  it('a person who types the address of this machine into a browser', () => {
    for (const host of ['127.0.0.1:1880', 'localhost:1880', 'LOCALHOST', '[::1]:1880', '10.0.0.5']) {
      assert.equal(refusal({}, '127.0.0.1', ['Host', host], browser, ['Sec-Fetch-Site', 'none']), undefined, host);
    }
  });

  it('no browser that does not say who asks, by plain http to another machine', () => {
    const image = [
      ['Accept', 'image/avif,image/webp,*/*;q=0.8'],
      ['Accept-Language', 'en-US'],
    ] as const;
    for (const host of ['10.20.30.40:1880', '192.168.1.2', '[fd00::1]:1880', '0.0.0.0:1880']) {
      assert.equal(refusal({}, '127.0.0.1', ['Host', host], browser), KEY_NEEDED, host);
      assert.equal(refusal({}, '127.0.0.1', ['Host', host], ...image), KEY_NEEDED, host);
      assert.equal(refusal({ apiKey: 'k' }, '127.0.0.1', ['Host', host], browser, bearer('k')), undefined, host);
    }
    for (const host of ['127.0.0.1:1880', 'localhost:1880', '[::1]:1880']) {
      assert.equal(refusal({}, '127.0.0.1', ['Host', host], browser), undefined, host);
    }
  });

  describe('a tab that a page of somebody else opens', () => {
    const opened = [
      ['Host', 'node-red.company.com'],
      browser,
      ['Accept-Language', 'ru'],
      ['Sec-Fetch-Site', 'cross-site'],
      ['Sec-Fetch-Mode', 'navigate'],
      ['Sec-Fetch-Dest', 'document'],
    ] as const;
    const TAB_KEY_NEEDED = '403 HTTP_TAB_KEY_NEEDED';
    const tab = (
      headers: readonly (readonly [string, string])[],
      { from = '127.0.0.1', method = 'GET', key }: { from?: string; method?: string; key?: string } = {},
      options: Partial<AccessOptions> = {},
    ) => {
      const asked = Object.assign(request(from, headers), { method });
      const refused = new Access({ allowList: '127.0.0.1', ...options }).refuse(asked, { key });
      return refused && `${refused.status} ${refused.error.code}`;
    };
    const without = (name: string, ...more: (readonly [string, string])[]) => [
      ...opened.filter(([own]) => own !== name),
      ...more,
    ];

    it('is let in where that may be, from an allowed address', () => {
      assert.equal(tab(opened), undefined);
      assert.equal(refusal({}, '127.0.0.1', ...opened), KEY_NEEDED);
      assert.equal(tab(opened, { from: '192.0.2.1' }), '403 PROTOCOL_FORBIDDEN');
      assert.equal(tab([...opened, ['X-Forwarded-For', '127.0.0.1']]), TAB_KEY_NEEDED);
      // The browser has it from a report beside the card.
      assert.equal(tab([...opened, ['Authorization', 'Basic dTpw']]), undefined);
    });

    it('is not what a page asks by itself, frames, or has fetched ahead', () => {
      const others = [
        without('Sec-Fetch-Mode', ['Sec-Fetch-Mode', 'no-cors']),
        without('Sec-Fetch-Dest', ['Sec-Fetch-Dest', 'iframe']),
        without('Sec-Fetch-Dest', ['Sec-Fetch-Dest', 'empty']),
        [...opened, ['Sec-Purpose', 'prefetch;prerender'] as const],
        // By plain http the browser says nothing of it.
        opened.filter(([name]) => !name.startsWith('Sec-')),
      ];
      for (const headers of others) assert.equal(tab(headers), TAB_KEY_NEEDED, JSON.stringify(headers));
      assert.equal(tab(opened, { method: 'POST' }), TAB_KEY_NEEDED);
    });

    it('shows the key in the address, where an address can show one', () => {
      const plain = opened.filter(([name]) => !name.startsWith('Sec-'));
      const apiKey = 'secret';
      assert.equal(tab(plain, { key: 'secret', from: '192.0.2.1' }, { apiKey }), undefined);
      assert.equal(tab(plain, {}, { apiKey }), '401 HTTP_TAB_KEY_NEEDED');
      for (const key of ['wrong', '']) assert.equal(tab(opened, { key }, { apiKey }), WRONG, key);
      assert.equal(tab(opened, { key: 'any' }), WRONG);
    });
  });

  it("an operator's program that asks another machine by its address", () => {
    const host = ['Host', '10.20.30.40:1880'] as const;
    const programs = [
      'curl/8.5.0',
      '1C+Enterprise/8.3',
      'asterisk-libcurl-agent/1.0',
      'Mozilla/3.0 (compatible; Indy Library)',
      'Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)',
    ];
    for (const name of programs) assert.equal(refusal({}, '127.0.0.1', host, ['User-Agent', name]), undefined, name);
    assert.equal(refusal({}, '127.0.0.1', host), undefined);
    // fetch of Node.js
    const fetched = [
      ['User-Agent', 'node'],
      ['Accept', '*/*'],
      ['Accept-Language', '*'],
      ['Sec-Fetch-Mode', 'cors'],
    ] as const;
    assert.equal(refusal({}, '127.0.0.1', host, ...fetched), undefined);
  });

  it('no browser that was made to take a foreign name for this machine', () => {
    for (const host of ['evil.example:1880', '127.0.0.1.evil.example', 'localhost.evil.example:1880', '']) {
      assert.equal(refusal({}, '127.0.0.1', ['Host', host], browser), KEY_NEEDED, host);
      // A page may choose the name of its browser, but not leave out the languages.
      assert.equal(refusal({}, '127.0.0.1', ['Host', host], ['Accept-Language', 'en']), KEY_NEEDED, host);
    }
  });

  it('a dialplan or a program that asks by any name', () => {
    const asterisk = ['User-Agent', 'asterisk-libcurl-agent/1.0'] as const;
    assert.equal(refusal({}, '127.0.0.1', ['Host', 'nodered.lan:1880'], asterisk), undefined);
    assert.equal(refusal({}, '127.0.0.1', ['Host', 'nodered.lan:1880']), undefined);
  });

  it("does not take Node-RED's own password for a key", () => {
    const basic = ['Authorization', 'Basic dTpw'] as const;
    assert.equal(refusal({ apiKey: 'k', basicAuthInFront: true }, '127.0.0.1', basic), undefined);
    assert.equal(refusal({ apiKey: 'k', basicAuthInFront: true }, '192.0.2.1', basic), WRONG);
    assert.equal(refusal({ apiKey: 'k', basicAuthInFront: true }, '192.0.2.1', basic, bearer('k')), undefined);
  });

  it('names the entry of the list that it cannot read', () => {
    for (const entry of ['10.0.0.0/33', 'localhost', '10.0.0', '1.2.3.4/', '::1/129', '10.0.0.0/-1']) {
      assert.throws(
        () => new Access({ allowList: `127.0.0.1, ${entry}` }),
        (error) =>
          error instanceof TelephonyError && error.code === 'HTTP_BAD_ALLOW_LIST' && error.message.includes(entry),
      );
    }
  });

  it('lets no header through but the right one', () => {
    const access = new Access({ allowList: '', apiKey: 'right-key' });
    fc.assert(
      fc.property(fc.string(), (value) => {
        fc.pre(!/^bearer +right-key *$/i.test(value));
        assert.notEqual(access.refuse(request('127.0.0.1', [['Authorization', value]])), undefined);
      }),
    );
  });
});
