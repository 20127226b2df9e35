/** How the question came; the answer must go back the same way. */
export type Protocol = 'itgrix' | 'usercrm' | 'uccx' | 'text' | 'json' | 'async-agi';

/** "A call from this number is here: where to?" the same for every protocol. All values are untrusted text. */
export interface RouteQuestion {
  readonly phone: string;
  /** The DID, as the dialplan names it. */
  readonly trunk?: string;
  /** Linkedid of the call. */
  readonly callId?: string;
}

/** What the asker is told. Nobody responsible = no extension: the call goes on by its normal way. */
export interface RouteAnswer {
  readonly found: boolean;
  readonly name?: string;
  readonly extension?: string;
  readonly entityType?: string;
  readonly entityId?: string;
}

/** An HTTP answer, ready to be written. */
export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}
