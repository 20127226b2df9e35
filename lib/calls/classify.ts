import type { CallPlan } from './types';
import type { ChannelKind } from './state';

/** Technologies of channels that no person is at. */
const OF_THE_PBX =
  /^(CBAnn|CBRec|ConfBridgeRec|Announcer|Recorder|Bridge|Surrogate|AsyncGoto|MulticastRTP|UnicastRTP|Message|Parked|Snoop)$/i;

/** Contexts in which calls from outside begin, by the names that FreePBX, the samples and most admins give them. */
const USUAL_TRUNK_CONTEXT =
  /^(from-(trunk|pstn|did|outside|external|provider|sip-external|zaptel|dahdi)|incoming|inbound|ext-did|trunk)/i;

export interface Classified {
  readonly kind: ChannelKind;
  readonly party: string;
}

/** The endpoint in `PJSIP/101-0000001a`. */
function endpointOf(channelName: string): string {
  return channelName.slice(channelName.indexOf('/') + 1).replace(/-[^-]*$/, '');
}

/**
 * Whose channel it is. With trunks named by the admin they are the trunks. Without, what begins in a trunk context is one, also
 * where a provider's account number looks like an extension; an endpoint whose name is an extension is a phone (PJSIP/101, as
 * FreePBX names them), and so is one whose own number is an extension (plain PJSIP: `alice` with callerid 101); else it is a trunk.
 * `hasJustBegun`: the context is the one in which it began; a list of channels tells where each is now.
 */
export function classify(
  plan: CallPlan,
  channelName: string,
  { context, ownNumber, hasJustBegun }: { context: string; ownNumber: string | undefined; hasJustBegun: boolean },
): Classified {
  const technology = channelName.slice(0, channelName.indexOf('/'));
  if (technology === 'Local') return { kind: 'local', party: endpointOf(channelName) };
  if (technology === '' || OF_THE_PBX.test(technology)) return { kind: 'other', party: channelName };
  const endpoint = endpointOf(channelName);
  const { isExtension } = plan.numbers;
  const asPhone = (): Classified => {
    const extension =
      isExtension(endpoint) || ownNumber === undefined || !isExtension(ownNumber) ? endpoint : ownNumber;
    return { kind: 'extension', party: extension };
  };
  if (plan.trunks.length > 0) {
    return plan.trunks.includes(endpoint) ? { kind: 'trunk', party: endpoint } : asPhone();
  }
  const isNamedAsPhone = isExtension(endpoint);
  if (isTrunkContext(plan, context) && (hasJustBegun || !isNamedAsPhone)) return { kind: 'trunk', party: endpoint };
  if (isNamedAsPhone || (ownNumber !== undefined && isExtension(ownNumber))) return asPhone();
  return { kind: 'trunk', party: endpoint };
}

function isTrunkContext(plan: CallPlan, context: string): boolean {
  return plan.trunkContexts.length > 0 ? plan.trunkContexts.includes(context) : USUAL_TRUNK_CONTEXT.test(context);
}

/** The number in what Dial was given: `79031234567@trunk`, `trunk/79031234567`, `trunk/sip:79031234567@host`; none in `trunk`. */
export function dialledNumber(dialString: string | undefined): string | undefined {
  const text = dialString?.replace(/^(PJSIP|SIP|IAX2|DAHDI|OOH323)\//i, '');
  const found = /(?:^|[/:])(\+?[0-9*#]{2,32})(?:@|$|[,;])/.exec(text ?? '');
  return found?.[1];
}
