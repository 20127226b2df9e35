import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type RealNodeRed, removeFolder, repository, startNodeRed } from '../../support/real-node-red';

export type FlowNode = Record<string, unknown> & { readonly id: string; readonly type: string };

/** A Node-RED of its own process with the built pack and a flow. */
export interface PackInNodeRed extends RealNodeRed {
  /** Deploys the flow anew: caches, breakers and links start from nothing. */
  redeploy(): Promise<void>;
}

export interface RoutingOptions {
  readonly amiPort: number;
  /** `http://127.0.0.1:…` of a CRM that answers `/clients?phone=<digits>` with `{name, owner}` and `{}` for a stranger. */
  readonly crm: string;
}

export function startRouting(options: RoutingOptions): Promise<PackInNodeRed> {
  return startPack(routingFlow(options));
}

/** Starts a Node-RED with the built pack and this flow. */
export async function startPack(flow: readonly FlowNode[]): Promise<PackInNodeRed> {
  const userDir = mkdtempSync(join(tmpdir(), 'telephony-crm-asterisk-'));
  mkdirSync(join(userDir, 'node_modules/@telephony-crm'), { recursive: true });
  symlinkSync(builtPack(), join(userDir, 'node_modules/@telephony-crm/node-red-asterisk'));
  const nodeRed = await startNodeRed({ userDir });
  const redeploy = () => nodeRed.deploy(flow);
  await redeploy();
  return {
    ...nodeRed,
    redeploy,
    async stop() {
      const code = await nodeRed.stop();
      await removeFolder(userDir);
      return code;
    },
  };
}

/** A flow as the pack ships it. */
export function exampleFlow(name: string): FlowNode[] {
  return JSON.parse(readFileSync(join(repository, `examples/${name}.json`), 'utf8')) as FlowNode[];
}

/** The example as an admin changes it: another PBX, another CRM, a substitute; nothing else. */
function routingFlow({ amiPort, crm }: RoutingOptions): FlowNode[] {
  const example = exampleFlow('01-routing-to-responsible');
  const settings: Record<string, object> = {
    'ami-config': {
      mode: 'asterisk',
      host: '127.0.0.1',
      port: String(amiPort),
      credentials: { username: 'crm-min', secret: 'crm-min-secret' },
    },
    'crm-config': {
      kind: 'generic-http',
      settings: { url: `${crm}/clients?phone={{digits}}`, name: 'name', ownerId: 'owner' },
      people: [
        { extension: '101', userId: '1', name: 'Анна Смирнова' },
        { extension: '102', userId: '2', name: 'Борис Кузнецов' },
      ],
    },
    'crm-lookup': { substitutes: [{ from: '101', to: '102' }] },
  };
  return example.map((node) => ({ ...node, ...settings[node.type] }));
}

let pack: string | undefined;

/** A copy of the built pack: whoever builds it again meanwhile does not pull it away from under Node-RED. */
function builtPack(): string {
  if (pack !== undefined) return pack;
  const setup = pathToFileURL(join(repository, 'scripts/setup.mjs')).href;
  const build = ['--eval', `import('${setup}').then((setup) => setup.ensureBuilt())`];
  const { status } = spawnSync(process.execPath, build, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('the pack could not be built');
  const folder = mkdtempSync(join(tmpdir(), 'telephony-crm-pack-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const part of ['package.json', 'dist', 'resources'])
    cpSync(join(repository, part), join(folder, part), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  pack = folder;
  return folder;
}
