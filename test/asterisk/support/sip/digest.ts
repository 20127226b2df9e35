import { createHash, randomBytes } from 'node:crypto';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** The value of `Authorization` that answers a `WWW-Authenticate: Digest …` challenge (MD5, with or without qop=auth). */
export function answerDigest(challenge: string, user: string, secret: string, method: string, uri: string): string {
  const parameter = (name: string) => new RegExp(`[\\s,]${name}="?([^",]*)"?`).exec(challenge)?.[1];
  const realm = parameter('realm') ?? '';
  const nonce = parameter('nonce') ?? '';
  const opaque = parameter('opaque');
  const ha1 = md5(`${user}:${realm}:${secret}`);
  const ha2 = md5(`${method}:${uri}`);
  const common = `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=MD5`;
  const end = opaque === undefined ? '' : `, opaque="${opaque}"`;
  if (!parameter('qop')) return `${common}, response="${md5(`${ha1}:${nonce}:${ha2}`)}"${end}`;
  const cnonce = randomBytes(8).toString('hex');
  const response = md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`);
  return `${common}, qop=auth, nc=00000001, cnonce="${cnonce}", response="${response}"${end}`;
}
