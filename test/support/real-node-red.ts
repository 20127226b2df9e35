import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { until } from './wait';

const run = promisify(execFile);
export const repository = resolve(__dirname, '..', '..');

/** The Node-RED under test: another version and another Node are chosen by the matrix through the environment. */
const nodeBinary = process.env.TEST_NODE ?? process.execPath;
export const nodeRedFolder = process.env.TEST_NODE_RED ?? dirname(require.resolve('node-red/package.json'));

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolvePort) => server.listen(0, '127.0.0.1', resolvePort));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

let tarball: Promise<string> | undefined;

/** Packs the repository once per run, as `npm publish` would. */
export function packedTarball(): Promise<string> {
  tarball ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telephony-crm-pack-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: repository });
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf('['))) as { filename: string }[];
    if (packed === undefined) throw new Error(`npm pack named no file: ${stdout}`);
    return join(folder, packed.filename);
  })();
  return tarball;
}

/** A fresh user directory into which the tarball was installed the way the palette manager does it. */
export async function userDirWithPack(): Promise<string> {
  const userDir = await mkdtemp(join(tmpdir(), 'telephony-crm-userdir-'));
  await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--omit=dev', '--engine-strict', '--prefer-offline', await packedTarball()],
    { cwd: userDir },
  );
  return userDir;
}

export interface RealNodeRed {
  readonly url: string;
  readonly userDir: string;
  readonly pid: number;
  /** Everything it wrote so far. */
  log(): string;
  /** Asks the Admin API; rejects when the answer is no 2xx. */
  admin<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Deploys flows the way the editor does. */
  deploy(flows: unknown, type?: 'full' | 'nodes' | 'flows'): Promise<void>;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface StartOptions {
  readonly userDir: string;
  readonly settings?: string;
  readonly flows?: unknown;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: a free one. */
  readonly port?: number;
}

async function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((done) => child.once('exit', (code) => done(code)));
}

/** Starts red.js in a process of its own, on a free loopback port, and waits until the Admin API answers. */
export async function startNodeRed(options: StartOptions): Promise<RealNodeRed> {
  const port = options.port ?? (await freePort());
  const settingsFile = join(options.userDir, 'settings.js');
  await mkdir(options.userDir, { recursive: true });
  await writeFile(
    settingsFile,
    `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, flowFile: 'flows.json', credentialSecret: 'test',
      telemetry: { enabled: false, updateNotification: false }, editorTheme: { tours: false },
      logging: { console: { level: 'info' } }, ${options.settings ?? ''} };`,
  );
  if (options.flows !== undefined) {
    await writeFile(join(options.userDir, 'flows.json'), JSON.stringify(options.flows));
  }
  const child = spawn(
    nodeBinary,
    [join(nodeRedFolder, 'red.js'), '--userDir', options.userDir, '--settings', settingsFile],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const url = `http://127.0.0.1:${port}`;

  await until(
    async () => {
      if (child.exitCode !== null) return true;
      if (!text.includes('Started flows') && !text.includes('Waiting for missing types')) return false;
      return fetch(`${url}/settings`).then(
        () => true,
        () => false,
      );
    },
    'Node-RED to start',
    60_000,
  );
  if (child.exitCode !== null) throw new Error(`Node-RED ended with ${child.exitCode}:\n${text}`);

  const admin = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/${path}`, {
      method,
      headers: { 'content-type': 'application/json', accept: 'application/json', 'node-red-api-version': 'v2' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return (answer === '' ? undefined : JSON.parse(answer)) as T;
  };

  return {
    url,
    userDir: options.userDir,
    pid: child.pid ?? 0,
    log: () => text,
    admin,
    async deploy(flows, type = 'full') {
      const response = await fetch(`${url}/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'node-red-api-version': 'v2', 'node-red-deployment-type': type },
        body: JSON.stringify({ flows }),
      });
      if (!response.ok) throw new Error(`deploy: ${response.status} ${await response.text()}`);
    },
    async stop() {
      const ended = exited(child);
      child.kill('SIGINT');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
