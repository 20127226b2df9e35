// Builds dist/: the compiled lib and nodes, and beside the nodes what Node-RED looks for next to a node's .js file.
import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });

const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

// The loader takes <node>.html, locales/ and icons/ only from the folder of the node's .js.
cpSync(join(root, 'nodes'), join(dist, 'nodes'), { recursive: true, filter: (from) => !from.endsWith('.ts') });
cpSync(join(root, 'icons'), join(dist, 'nodes', 'icons'), { recursive: true });
