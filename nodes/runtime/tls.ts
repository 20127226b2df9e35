import type { NodeAPI } from 'node-red';
import type { Text } from '../../lib/errors';

/** Node-RED's own `tls-config` node, as far as we need it. */
interface TlsConfigNode {
  readonly type: string;
  readonly valid?: boolean;
  readonly verifyservercert?: boolean;
  addTLSOptions(into: object): {
    readonly ca?: string | Buffer;
    readonly cert?: string | Buffer;
    readonly key?: string | Buffer;
    readonly passphrase?: string;
    readonly servername?: string;
  };
}

/** What a `tls-config` holds: PEM texts, and the name that the certificate of the other side must carry. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly serverName?: string;
}

function tlsNode(red: NodeAPI, id: unknown): TlsConfigNode | undefined {
  const node = typeof id === 'string' ? (red.nodes.getNode(id) as unknown as TlsConfigNode | null) : null;
  return node?.type === 'tls-config' ? node : undefined;
}

/**
 * What the chosen `tls-config` holds; nothing when none is chosen. One that was chosen and is disabled, deleted or cannot read
 * its files is thrown as what `wrong` makes of it: going on without it would trust others than the admin meant.
 */
export function tlsMaterial(red: NodeAPI, id: unknown, wrong: (problem: Text) => Error): TlsMaterial {
  if (typeof id !== 'string' || id === '') return {};
  const node = tlsNode(red, id);
  if (node === undefined) {
    throw wrong({
      en: 'the chosen TLS configuration is disabled, deleted or not deployed yet: deploy it, or choose another one or none.',
      ru: 'выбранная конфигурация TLS отключена, удалена или ещё не развёрнута: разверните её, выберите другую или никакую.',
    });
  }
  if (node.valid === false) {
    throw wrong({
      en: 'the chosen TLS configuration cannot be used: see its own error in the log.',
      ru: 'выбранную конфигурацию TLS нельзя использовать: её ошибка есть в журнале.',
    });
  }
  const { ca, cert, key, passphrase, servername = '' } = node.addTLSOptions({});
  return {
    ...(ca === undefined ? {} : { ca: ca.toString() }),
    ...(cert === undefined ? {} : { cert: cert.toString() }),
    ...(key === undefined ? {} : { key: key.toString() }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(servername === '' ? {} : { serverName: servername }),
  };
}

/** Did the admin ask there not to check the certificate? We check it all the same. */
export const wantsNoCheck = (red: NodeAPI, id: unknown): boolean => tlsNode(red, id)?.verifyservercert === false;
