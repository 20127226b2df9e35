import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type RealNodeRed, removeFolder, repository, startNodeRed } from '../../support/real-node-red';

type FlowNode = Record<string, unknown> & { readonly id: string; readonly type: string };

/** A Node-RED of its own process with the built pack, and the first example flow changed to ask a real PBX and a CRM. */
export interface PackInNodeRed extends RealNodeRed {
  /** Deploys the flow anew: caches, breakers and links start from nothing. */
  redeploy(): Promise<void>;
}

export interface RoutingOptions {
  readonly amiPort: number;
  /** `http://127.0.0.1:…` of a CRM that answers `/clients?phone=<digits>` with `{name, owner}` and `{}` for a stranger. */
  readonly crm: string;
}

export async function startRouting(options: RoutingOptions): Promise<PackInNodeRed> {
  build();
  const userDir = mkdtempSync(join(tmpdir(), 'telephony-crm-asterisk-'));
  const link = join(userDir, 'node_modules/@telephony-crm/node-red-asterisk');
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(repository, link);
  const nodeRed = await startNodeRed({ userDir });
  const redeploy = () => nodeRed.deploy(routingFlow(options));
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

/** The example as an admin changes it: another PBX, another CRM, a substitute; nothing else. */
function routingFlow({ amiPort, crm }: RoutingOptions): FlowNode[] {
  const example = JSON.parse(
    readFileSync(join(repository, 'examples/01-routing-to-responsible.json'), 'utf8'),
  ) as FlowNode[];
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
      users: [
        { extension: '101', userId: '1', name: 'Анна Смирнова' },
        { extension: '102', userId: '2', name: 'Борис Кузнецов' },
      ],
    },
    'crm-lookup': { substitutes: [{ from: '101', to: '102' }] },
  };
  return example.map((node) => ({ ...node, ...settings[node.type] }));
}

let built = false;
function build(): void {
  if (built) return;
  const setup = pathToFileURL(join(repository, 'scripts/setup.mjs')).href;
  const { status } = spawnSync(
    process.execPath,
    ['--eval', `import('${setup}').then((setup) => setup.ensureBuilt())`],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  if (status !== 0) throw new Error('the pack could not be built');
  built = true;
}
