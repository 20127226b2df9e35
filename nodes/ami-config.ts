import type { Node, NodeInitializer } from 'node-red';
import type { AmiState } from '../lib/ami/types';
import { TelephonyError } from '../lib/errors';
import { pbxError } from '../lib/pbx/errors';
import type { BegunCall } from '../lib/outbound/types';
import { createPbx } from '../lib/pbx/pbx';
import type { Pbx } from '../lib/pbx/pbx';
import { FEATURES } from '../lib/pbx/permissions';
import { probePbx } from '../lib/pbx/probe';
import { unusablePbx } from '../lib/pbx/unusable';
import { adminAction, dialogCredentials, withEnvironment } from './runtime/admin';
import { pbxOptions } from './runtime/ami-settings';
import type { AmiConfigDef, AmiCredentials } from './runtime/ami-settings';
import { Claims } from './runtime/claims';
import { amiConfig } from './runtime/config-nodes';
import { languageOf } from './runtime/language';
import { onClose } from './runtime/lifecycle';
import { nodeLog } from './runtime/node-log';
import { offerRecordings } from './runtime/recordings';
import { offerRegions } from './runtime/regions';
import { wantsNoCheck } from './runtime/tls';
import { Traces } from './runtime/traces';

/** What others see of it is `AmiConfigNode`. */
type OwnNode = Node<AmiCredentials> & { pbx: Pbx };

const init: NodeInitializer = (red) => {
  /** Writes each news of the link once: not every retry, and not the same reason again. */
  function tellLink(node: Node, pbx: Pbx): (state: AmiState) => void {
    let told = '';
    return ({ phase, error, amiVersion = '?' }) => {
      const news = phase === 'ready' ? phase : (error?.code ?? told);
      if (news === told) return;
      told = news;
      if (error) node.warn(error.textIn(languageOf(red, node.type)));
      else node.log(red._(`ami-config.log.${pbx.simulator ? 'simulator' : 'connected'}`, { version: amiVersion }));
    };
  }

  /** Of each node that was deployed anew, its calls of the last minute that no store knows of: a deploy frees nobody's places. */
  const begun = new Map<string, readonly BegunCall[]>();

  /** The name is what messages, the history and recordings know a PBX by. */
  const names = new Claims<string>();

  function AmiConfig(this: OwnNode, def: AmiConfigDef): void {
    red.nodes.createNode(this, def);
    let told = '';
    const onProblem = (problem: TelephonyError): void => {
      if (problem.message === told) return;
      told = problem.message;
      this.warn(problem.textIn(languageOf(red, this.type)));
    };
    try {
      if (def.useTls === true && wantsNoCheck(red, def.tls)) this.warn(red._('ami-config.log.tls-verify'));
      this.pbx = createPbx(pbxOptions(red, def, this.credentials), {
        log: nodeLog(red, this),
        onProblem,
        regionOf: offerRegions(red, this, def, onProblem),
      });
      this.pbx.client.onState(tellLink(this, this.pbx));
      const { guard } = this.pbx.dialling;
      guard.remember(begun.get(this.id) ?? []);
      begun.delete(this.id);
      onClose(red, this, async (removed) => {
        await this.pbx.close();
        if (!removed) begun.set(this.id, guard.begun?.() ?? []);
      });
      const { name } = this.pbx;
      const freeName = names.claim(name, this.id, (mine) => {
        if (!mine) onProblem(pbxError('PBX_SAME_NAME', { name }));
      });
      onClose(red, this, freeName);
      const withdraw = offerRecordings(red, this.id, this.pbx.name, def);
      if (withdraw) onClose(red, this, withdraw);
    } catch (thrown) {
      if (!(thrown instanceof TelephonyError)) throw thrown;
      // Without its recordings a PBX works all the same.
      const isRecordings = thrown.code === 'RECORDING_BAD_SETTINGS';
      // The nodes that use it show it in their status and hand it to whoever asks something of the PBX.
      if (!isRecordings) this.pbx = unusablePbx(def.name || this.type, thrown);
      this.error(thrown.textIn(languageOf(red, this.type)));
    }
  }
  red.nodes.registerType<OwnNode, AmiConfigDef, object, AmiCredentials>('ami-config', AmiConfig, {
    credentials: { username: { type: 'text' }, secret: { type: 'password' } },
  });

  // It connects to the address in the dialog, with the stored secret if that was not retyped. Whoever may write this node can do
  // the same by deploying it, so the permission to write is the guard, and an allow-list of addresses would add nothing.
  adminAction(red, '/telephony-crm/ami-config/:id/test', 'ami-config.write', ({ id, body }) => {
    const typed = withEnvironment(red, id, body) as Record<string, unknown>;
    const credentials = dialogCredentials(red, id, body.credentials, ['username', 'secret']);
    const options = pbxOptions(red, { ...typed, id, type: 'ami-config' } as AmiConfigDef, credentials);
    const chosen = Array.isArray(body.features) ? body.features : [];
    return probePbx(
      options,
      FEATURES.filter((feature) => chosen.includes(feature)),
      body.lang,
    );
  });

  const traces = new Traces(red);
  adminAction(red, '/telephony-crm/ami-config/:id/trace', 'ami-config.write', ({ id, body }) =>
    Promise.resolve(traces.begin(amiConfig(red, id), { seconds: body.seconds, maskNumbers: body.maskNumbers })),
  );
};

export default init;
