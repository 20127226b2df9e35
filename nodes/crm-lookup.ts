import type { Node, NodeAPI, NodeDef, NodeInitializer, NodeMessage } from 'node-red';
import { systemClock } from '../lib/clock';
import { TelephonyError, asError } from '../lib/errors';
import { numberingPlan } from '../lib/phone';
import { createLookup } from '../lib/routing/lookup';
import type { Lookup } from '../lib/routing/lookup';
import type { Contact, LookupResult } from '../lib/routing/types';
import { Complaints } from './runtime/complaints';
import { amiConfig, crmConfig } from './runtime/config-nodes';
import { crmStatus } from './runtime/crm-status';
import { nodeError } from './runtime/errors';
import { forPeople } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { milliseconds, propertyOf, textOf } from './runtime/settings';
import { StatusLine } from './runtime/status';

interface CrmLookupDef extends NodeDef {
  readonly crm?: string;
  readonly pbx?: string;
  /** Where in the message the number stands, and where the result goes. */
  readonly phone?: string;
  readonly output?: string;
  /** Seconds. */
  readonly deadline?: string | number;
  readonly inUseIsFit?: boolean;
  readonly substitutes?: readonly { readonly from?: string; readonly to?: string }[];
  readonly defaultSubstitute?: string;
  /** Only looked at without a PBX, which has a numbering plan of its own. */
  readonly country?: string;
}

/** Makes the engine of what the dialog says; throws a TelephonyError that says what is wrong there. */
function lookupOf(red: NodeAPI, def: CrmLookupDef): Lookup {
  const crm = crmConfig(red, def.crm);
  const account = crm?.account;
  if (!account) throw crm?.problem ?? nodeError('CRM_NOT_CHOSEN');
  const pbx = amiConfig(red, def.pbx)?.pbx;
  pbx?.open();
  const rows = (def.substitutes ?? []).map(({ from, to }) => [textOf(from), textOf(to)] as const);
  const defaultSubstitute = textOf(def.defaultSubstitute);
  return createLookup({
    account,
    clock: systemClock,
    plan: pbx?.plan ?? numberingPlan({ country: textOf(def.country) || 'RU' }),
    deadlineMs: milliseconds(def.deadline, 2),
    inUseIsFit: def.inUseIsFit === true,
    substitutes: Object.fromEntries(rows.filter(([from, to]) => from !== '' && to !== '')),
    ...(pbx === undefined ? {} : { presence: pbx.presence }),
    ...(defaultSubstitute === '' ? {} : { defaultSubstitute }),
  });
}

/** What the flow is told when the question could not even be asked. */
function failed(error: TelephonyError, tookMs: number): LookupResult {
  const contact: Contact = {
    found: false,
    outcome: 'error',
    entities: [],
    error: { code: error.code, message: error.message },
    tookMs,
  };
  return { contact, error };
}

const init: NodeInitializer = (red) => {
  red.nodes.registerType('crm-lookup', function (this: Node, def: CrmLookupDef) {
    red.nodes.createNode(this, def);
    const crm = crmConfig(red, def.crm);
    const status = new StatusLine(this);
    const complaints = new Complaints(this);
    const stops = new Set<() => void>();
    let lookup: Lookup;
    try {
      lookup = lookupOf(red, def);
    } catch (thrown) {
      const error =
        thrown instanceof TelephonyError ? thrown : nodeError('CRM_UNUSABLE', { reason: asError(thrown).message });
      this.error(forPeople(red, this.type, error).message);
      lookup = { lookup: () => Promise.resolve(failed(error, 0)) };
    }

    const showCrm = (): void => status.setBase(crmStatus(crm));
    const offState = crm?.account?.onState(showCrm);
    showCrm();

    onInput(red, this, async (msg, send) => {
      const asked = performance.now();
      const { contact, error } = await new Promise<LookupResult>((resolve, reject) => {
        const stop = (): void => resolve(failed(nodeError('LOOKUP_STOPPED'), Math.round(performance.now() - asked)));
        stops.add(stop);
        lookup
          .lookup(phoneIn(red, msg, textOf(def.phone) || 'payload.phone'))
          .then(resolve, reject)
          .finally(() => stops.delete(stop));
      });
      // A call without a number is nothing to warn of.
      if (error && contact.outcome !== 'bad-number')
        complaints.warn(error.code, forPeople(red, this.type, error).message);
      red.util.setMessageProperty(msg, textOf(def.output) || 'contact', contact, true);
      send(contact.outcome === 'found' ? [msg, null] : [null, msg]);
      const fill = contact.outcome === 'found' ? 'green' : contact.outcome === 'not-found' ? 'blue' : 'yellow';
      status.show({ fill, shape: 'dot', text: `crm-lookup.outcome.${contact.outcome}` });
    });

    onClose(this, async () => {
      offState?.();
      status.close();
      for (const stop of stops) stop();
      // The messages that waited leave before the node is gone.
      await new Promise((resolve) => setImmediate(resolve));
      status.close();
    });
  });
};

/** The number as text: from the chosen property, or from a payload that is the number itself. Empty when there is none. */
function phoneIn(red: NodeAPI, msg: NodeMessage, property: string): string {
  return textOf(propertyOf(red, msg, property) ?? msg.payload);
}

export default init;
