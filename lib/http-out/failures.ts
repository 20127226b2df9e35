/** Why no connection came about, or none that lasted. */
export type UnreachableReason = 'dns' | 'refused' | 'reset' | 'no-route' | 'connect-timeout' | 'protocol' | 'failed';

/** What is wrong with the certificate of the other side. */
export type TlsReason = 'wrong-name' | 'unknown-authority' | 'expired' | 'not-yet-valid' | 'failed';

/** What a request that got no complete answer met; `system` is the code that Node gave it, `unknown` when it gave none. */
export type TransportFailure =
  | { readonly kind: 'unreachable'; readonly why: UnreachableReason; readonly system: string }
  | { readonly kind: 'tls'; readonly why: TlsReason; readonly system: string }
  | { readonly kind: 'too-large'; readonly system: string };

const UNREACHABLE: Readonly<Record<string, UnreachableReason>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  EAI_NODATA: 'dns',
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  ERR_STREAM_PREMATURE_CLOSE: 'reset',
  EHOSTUNREACH: 'no-route',
  ENETUNREACH: 'no-route',
  EHOSTDOWN: 'no-route',
  ETIMEDOUT: 'connect-timeout',
};

const TLS: Readonly<Record<string, TlsReason>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  HOSTNAME_MISMATCH: 'wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown-authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-authority',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
};

/** The code that Node gave: axios wraps the error of the socket, and Node several addresses' errors into one. */
function systemCode(thrown: unknown): string {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    const { code } = error as NodeJS.ErrnoException;
    // Axios's own codes are generic; the cause below knows more.
    if (code !== undefined && !(code.startsWith('ERR_BAD_') || code === 'ERR_NETWORK')) return code;
    if (error instanceof AggregateError) return systemCode(error.errors[0]);
  }
  return '';
}

/** Tells what befell a request from what axios threw. */
export function transportFailure(thrown: unknown): TransportFailure {
  const message = thrown instanceof Error ? thrown.message : '';
  const code = systemCode(thrown);
  const system = code || 'unknown';
  if (message.startsWith('maxContentLength')) return { kind: 'too-large', system };
  const tlsReason = TLS[code] ?? (/^(ERR_SSL_|ERR_TLS_|CERT_|EPROTO)/.test(code) ? 'failed' : undefined);
  if (tlsReason !== undefined) return { kind: 'tls', why: tlsReason, system };
  if (/^(HPE_|Z_|ERR_HTTP_)/.test(code)) return { kind: 'unreachable', why: 'protocol', system };
  // Axios's words for a connection that ended inside the body.
  const reset = /aborted|socket hang up/.test(message);
  return { kind: 'unreachable', why: UNREACHABLE[code] ?? (reset ? 'reset' : 'failed'), system };
}
