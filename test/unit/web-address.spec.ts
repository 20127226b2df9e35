import assert from 'node:assert/strict';
import { webAddress } from '../../lib/web-address';

describe('an address of the web', () => {
  it('is http or https, with nobody in it', () => {
    for (const text of ['https://crm.example.com/a?b=c#d', 'http://127.0.0.1:1880/', 'HTTPS://CRM.example.com/'])
      assert.equal(webAddress(text)?.href, new URL(text).href, text);
    const none = [
      'javascript:alert(1)',
      'data:text/html,x',
      'ftp://crm.example.com/',
      'https://agent@crm.example.com/',
      'https://agent:secret@crm.example.com/',
      'https://:secret@crm.example.com/',
      '//crm.example.com/',
      '/card',
      'https://',
      '',
    ];
    for (const text of none) assert.equal(webAddress(text), undefined, text);
  });
});
