import type { AutocallEntry, AutocallHeard, AutocallScript } from '../../../../lib/dialer/line/script';

/** A script whose clients hear what the test says. */
export class FakeScript implements AutocallScript {
  readonly results = new Map<string, AutocallHeard | 'not-offered'>();
  attached = 0;
  /** As if the client had pressed 1. */
  confirm: (channelId: string) => void = () => undefined;

  originate(): AutocallEntry {
    return {
      headers: { Context: 'telephony-crm-autocall', Exten: 's', Priority: 1 },
      variables: { TCRM_FILES: 'car-is-here' },
    };
  }

  attach(_client: unknown, onConfirmed: (channelId: string) => void): () => void {
    this.attached += 1;
    this.confirm = onConfirmed;
    return () => void (this.attached -= 1);
  }

  resultOf(channelId: string): AutocallHeard | 'not-offered' | undefined {
    const result = this.results.get(channelId);
    this.results.delete(channelId);
    return result;
  }
}
