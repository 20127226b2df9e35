import type { Node, NodeAPI, NodeDef, NodeInitializer, NodeMessage, NodeStatus } from 'node-red';
import { systemClock } from '../lib/clock';
import { TelephonyError, asError } from '../lib/errors';
import { pbxError } from '../lib/pbx/errors';
import type { Pbx } from '../lib/pbx/pbx';
import { Regions } from '../lib/pbx/regions';
import { unusablePbx } from '../lib/pbx/unusable';
import { numberingPlan } from '../lib/phone';
import { createLookup } from '../lib/routing/lookup';
import type { Lookup } from '../lib/routing/lookup';
import { StoppableLookup, refusingLookup } from '../lib/routing/stoppable';
import { Complaints } from './runtime/complaints';
import { amiConfig, crmConfig } from './runtime/config-nodes';
import { crmStatus } from './runtime/crm-status';
import { nodeError } from './runtime/errors';
import { languageOf, wordsFor } from './runtime/language';
import { onClose, onInput } from './runtime/lifecycle';
import { linkStatus } from './runtime/link-status';
import { newClient, type NewClientDef } from './runtime/new-client';
import { milliseconds, propertyOf, textOf } from './runtime/settings';
import { StatusLine } from './runtime/status';

interface CrmLookupDef extends NodeDef, NewClientDef {
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

/** The chosen PBX; one that is disabled or deleted is a PBX where nobody can be reached. `undefined`: none is chosen. */
function chosenPbx(red: NodeAPI, id: string | undefined): Pbx | undefined {
  if (!id) return undefined;
  return amiConfig(red, id)?.pbx ?? unusablePbx(id, pbxError('PBX_NOT_CHOSEN'));
}

const init: NodeInitializer = (red) => {
  /** Reads the dialog and makes the engine; throws a TelephonyError that says what is wrong there. */
  function lookupOf(node: Node, def: CrmLookupDef, pbx: Pbx | undefined): Lookup {
    const crm = crmConfig(red, def.crm);
    const account = crm?.account;
    if (!account) throw crm?.problem ?? nodeError('CRM_NOT_CHOSEN');
    const rows = (def.substitutes ?? []).map(({ from, to }) => [textOf(from), textOf(to)] as const);
    const defaultSubstitute = textOf(def.defaultSubstitute);
    const regions = new Regions(languageOf(red, node.type));
    const create = newClient(account, def, (error) => node.warn(wordsFor(red, node, error)));
    return createLookup({
      account,
      clock: systemClock,
      plan: amiConfig(red, def.pbx)?.pbx.plan ?? numberingPlan({ country: textOf(def.country) || 'RU' }),
      deadlineMs: milliseconds(def.deadline, 2, (problem) => node.warn(wordsFor(red, node, problem))),
      inUseIsFit: def.inUseIsFit === true,
      regionOf: pbx?.regionOf ?? ((e164) => regions.of(e164)),
      substitutes: Object.fromEntries(rows.filter(([from, to]) => from !== '' && to !== '')),
      ...(create === undefined ? {} : { create }),
      ...(pbx === undefined ? {} : { presence: pbx.presence }),
      ...(defaultSubstitute === '' ? {} : { defaultSubstitute }),
    });
  }

  red.nodes.registerType('crm-lookup', function (this: Node, def: CrmLookupDef) {
    red.nodes.createNode(this, def);
    const crm = crmConfig(red, def.crm);
    const pbx = chosenPbx(red, def.pbx);
    const status = new StatusLine(this);
    const complaints = new Complaints(this);
    let lookups: Lookup;
    let wrongSettings = false;
    try {
      lookups = lookupOf(this, def, pbx);
    } catch (thrown) {
      const error =
        thrown instanceof TelephonyError ? thrown : nodeError('CRM_UNUSABLE', { reason: asError(thrown).message });
      this.error(wordsFor(red, this, error));
      wrongSettings = crm?.account !== undefined;
      lookups = refusingLookup(error);
    }
    const lookup = new StoppableLookup(lookups, systemClock);

    const showState = (): void =>
      status.setBase(
        wrongSettings
          ? { fill: 'red', shape: 'dot', text: 'crm-lookup.status.settings' }
          : worse(crmStatus(crm), pbx && linkStatus(pbx)),
      );
    const forget = [crm?.account?.onState(showState), pbx?.client.onState(showState)];
    showState();
    pbx?.open();

    onInput(red, this, async (msg, send) => {
      const { contact, error } = await lookup.lookup(phoneIn(red, msg, textOf(def.phone) || 'payload.phone'));
      // A call without a number is nothing to warn of, and a deploy is no trouble.
      if (error && contact.outcome !== 'bad-number' && error.code !== 'LOOKUP_STOPPED')
        complaints.warn(error.code, wordsFor(red, this, error));
      red.util.setMessageProperty(msg, textOf(def.output) || 'contact', contact, true);
      send(contact.outcome === 'found' ? [msg, null] : [null, msg]);
      const fill = contact.outcome === 'found' ? 'green' : contact.outcome === 'not-found' ? 'blue' : 'yellow';
      status.show({ fill, shape: 'dot', text: `crm-lookup.outcome.${contact.outcome}` });
    });

    onClose(red, this, async () => {
      forget.forEach((end) => end?.());
      status.close();
      lookup.stop(nodeError('LOOKUP_STOPPED'));
      // The messages that waited leave before the node is gone.
      await new Promise((resolve) => setImmediate(resolve));
    });
  });
};

/** A CRM that fails is told first: without it no call is routed at all. */
function worse(crm: NodeStatus, link: NodeStatus | undefined): NodeStatus {
  const crmIsBad = crm.fill === 'red' || crm.shape === 'ring';
  return crmIsBad || link === undefined || link.fill === 'green' ? crm : link;
}

/** The number as text: from the chosen property, or from a payload that is the number itself. Empty when there is none. */
function phoneIn(red: NodeAPI, msg: NodeMessage, property: string): string {
  return textOf(propertyOf(red, msg, property) ?? msg.payload);
}

export default init;
