import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { managerConf } from '../../../lib/pbx/manager-conf';
import { FEATURES, permissionNeeds } from '../../../lib/pbx/permissions';
import type { Feature } from '../../../lib/pbx/permissions';
import { until } from '../../support/wait';
import { freePort } from './ports';
import { type AsteriskVersion, moduleFolder, rootOf } from './roots';

const CONFIG = resolve(__dirname, '../config');
const DIALPLAN = resolve(__dirname, '../../../dialplan/extensions_telephony_crm.conf');
/** Inside the root folder; short, because a path of a Unix socket holds 107 characters. */
const RUNS = '/telephony-crm';

export interface AsteriskOptions {
  readonly version: AsteriskVersion;
  /** Global variables of the dialplan. */
  readonly globals?: Readonly<Record<string, string>>;
}

/** One running Asterisk of the tests, on ports of its own at 127.0.0.1. */
export interface TestAsterisk {
  readonly version: AsteriskVersion;
  readonly amiPort: number;
  readonly amiTlsPort: number;
  readonly httpPort: number;
  readonly sipPort: number;
  /** PEM of the certificate of the TLS port: valid for `localhost` and 127.0.0.1, signed by itself. */
  readonly ca: string;
  readonly pid: number;
  /** Runs a command of the console and gives its output. */
  cli(command: string): Promise<string>;
  /** Sets a global variable of the dialplan; a restart forgets it. */
  setGlobal(name: string, value: string): Promise<void>;
  /** Everything logged so far: for the message of a failed test. */
  log(): string;
  /** What its queues logged: time, call, queue, agent, event, data … of each line. */
  queueLog(): readonly (readonly string[])[];
  /** Ends it the hard way, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it, on the same ports, after it was killed. */
  start(): Promise<void>;
  /** Starts it again, on the same ports, killing it first if need be. */
  restart(): Promise<void>;
  /** Stops the process without ending it: its sockets stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
}

/** Starts an Asterisk and resolves when it is fully booted and its AMI greets. */
export async function startAsterisk(options: AsteriskOptions): Promise<TestAsterisk> {
  const root = rootOf(options.version);
  removeLeftovers(root);
  useNoNameServer(root);
  const asterisk = new ChrootedAsterisk(options, root, {
    AMI_PORT: await freePort(),
    AMI_TLS_PORT: await freePort(),
    HTTP_PORT: await freePort(),
    SIP_PORT: await freePort(),
  });
  await asterisk.start();
  return asterisk;
}

type Ports = Readonly<Record<'AMI_PORT' | 'AMI_TLS_PORT' | 'HTTP_PORT' | 'SIP_PORT', number>>;

class ChrootedAsterisk implements TestAsterisk {
  readonly version: AsteriskVersion;
  readonly ca: string;
  /** The folder of this run as Asterisk sees it, and as we see it. */
  private readonly run = `${RUNS}/${randomBytes(4).toString('hex')}`;
  private readonly folder: string;
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private readonly endWithUs = () => void this.child?.kill('SIGKILL');

  constructor(
    options: AsteriskOptions,
    private readonly root: string,
    private readonly ports: Ports,
  ) {
    this.version = options.version;
    this.folder = join(root, this.run);
    for (const sub of ['etc', 'keys/keys', 'db', 'cache', 'log/cdr-csv', 'spool/tmp', 'spool/outgoing']) {
      mkdirSync(join(this.folder, sub), { recursive: true });
    }
    this.writeConfig(options.globals ?? {});
    this.ca = this.makeCertificate();
    process.once('exit', this.endWithUs);
  }

  get amiPort(): number {
    return this.ports.AMI_PORT;
  }
  get amiTlsPort(): number {
    return this.ports.AMI_TLS_PORT;
  }
  get httpPort(): number {
    return this.ports.HTTP_PORT;
  }
  get sipPort(): number {
    return this.ports.SIP_PORT;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('this Asterisk does not run');
    return this.child.pid;
  }

  async start(): Promise<void> {
    const output = openSync(join(this.folder, 'log/console.log'), 'a');
    const child = spawn('chroot', [this.root, '/usr/sbin/asterisk', '-f', '-C', `${this.run}/etc/asterisk.conf`], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    void this.exited.then(() => {
      if (this.child === child) this.child = undefined;
    });
    writeFileSync(join(this.folder, 'pids'), `${String(child.pid)} ${process.pid} ${String(startTime(process.pid))}`);
    try {
      await until(() => this.isBooted(), `Asterisk ${this.version} to be fully booted`, 60_000);
    } catch (error) {
      const log = this.log();
      await this.stop();
      throw new Error(`${String(error)}\n${log.slice(-4000)}`, { cause: error });
    }
  }

  cli(command: string): Promise<string> {
    const args = [this.root, '/usr/sbin/asterisk', '-C', `${this.run}/etc/asterisk.conf`, '-rx', command];
    return new Promise((resolve, reject) => {
      execFile('chroot', args, { timeout: 20_000, maxBuffer: 16 << 20 }, (error, stdout) =>
        error ? reject(new Error(`console command "${command}" failed: ${error.message}`)) : resolve(stdout),
      );
    });
  }

  async setGlobal(name: string, value: string): Promise<void> {
    const answer = await this.cli(`dialplan set global ${name} ${value}`);
    if (!answer.includes('Global variable')) throw new Error(`global ${name} was not set: ${answer}`);
  }

  log(): string {
    return ['log/console.log', 'log/full.log']
      .map((name) => join(this.folder, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
  }

  queueLog(): readonly (readonly string[])[] {
    const path = join(this.folder, 'log/queue_log');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    return lines.filter((line) => line !== '').map((line) => line.split('|'));
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.exited;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    // A frozen process hears SIGTERM only after it was thawed; one that does not go in time is killed.
    this.child?.kill('SIGCONT');
    this.child?.kill('SIGTERM');
    const hurry = setTimeout(() => this.child?.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(hurry);
    process.off('exit', this.endWithUs);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async isBooted(): Promise<boolean> {
    if (!this.child) throw new Error('it ended by itself');
    return (await greeting(this.amiPort)) && /fully booted/i.test(await this.cli('core waitfullybooted'));
  }

  private writeConfig(globals: Readonly<Record<string, string>>): void {
    const values: Record<string, string> = {
      RUN: this.run,
      MODULES: moduleFolder(this.root),
      GLOBALS: Object.entries(globals)
        .map(([name, value]) => `${name} = ${value}`)
        .join('\n'),
      CRM_USERS: leastUsers(),
      ...Object.fromEntries(Object.entries(this.ports).map(([name, port]) => [name, String(port)])),
    };
    for (const file of readdirSync(CONFIG)) {
      const text = readFileSync(join(CONFIG, file), 'utf8');
      const filled = text.replace(/^(?!;).*$/gm, (line) =>
        line.replace(/@([A-Z_]+)@/g, (_, name: string) => known(values, name)),
      );
      writeFileSync(join(this.folder, 'etc', file), filled);
    }
    copyFileSync(DIALPLAN, join(this.folder, 'etc/extensions_telephony_crm.conf'));
  }

  private makeCertificate(): string {
    const [key, certificate] = ['keys/key.pem', 'keys/cert.pem'].map((name) => join(this.folder, name)) as [
      string,
      string,
    ];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', certificate], {
      stdio: 'pipe',
    });
    const pem = readFileSync(certificate, 'utf8');
    writeFileSync(join(this.folder, 'keys/asterisk.pem'), readFileSync(key, 'utf8') + pem);
    return pem;
  }
}

/** What the pack tells an admin to write into manager.conf, with the password written in. */
function leastPrivilege(username: string, features: readonly Feature[]): string {
  const section = managerConf({ username, needs: permissionNeeds(features) }, 'en');
  if (!/^;secret = /m.test(section)) throw new Error(`the section has no place for a secret:\n${section}`);
  return section.replace(/^;secret = .*$/m, `secret = ${username}-secret`);
}

/** `crm-min` for calls from outside, `crm-dial` for calls out and call control too, `crm-system` for what needs that class. */
function leastUsers(): string {
  const dialling: readonly Feature[] = ['dial', 'control', 'agents'];
  const withoutSystem = FEATURES.filter((feature) => feature !== 'control-system');
  return [
    leastPrivilege(
      'crm-min',
      withoutSystem.filter((feature) => !dialling.includes(feature)),
    ),
    leastPrivilege('crm-dial', withoutSystem),
    leastPrivilege('crm-system', FEATURES),
  ].join('\n');
}

function known(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(`test/asterisk/config uses @${name}@, which nobody fills in`);
  return value;
}

/** Does something greet there as the AMI does? */
function greeting(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port, timeout: 2000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString().startsWith('Asterisk Call Manager/')));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

/** Asterisk looks its own name up for every call: a slow name server of the machine would hold calls up for seconds. */
function useNoNameServer(root: string): void {
  writeFileSync(join(root, 'etc/hosts'), `127.0.0.1 localhost ${hostname()}\n`);
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n');
}

/** Ends and removes what an earlier run left behind when it was killed; runs of living processes stay untouched. */
function removeLeftovers(root: string): void {
  const runs = join(root, RUNS);
  if (!existsSync(runs)) return;
  for (const name of readdirSync(runs)) {
    const folder = join(runs, name);
    const pids = join(folder, 'pids');
    if (!existsSync(pids)) continue;
    const [asterisk, owner, ownerStart] = readFileSync(pids, 'utf8').split(' ').map(Number) as [number, number, number];
    if (startTime(owner) === ownerStart) continue;
    if (belongsTo(asterisk, root, `${RUNS}/${name}/`)) process.kill(asterisk, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** When the process began, in ticks since boot; undefined when there is none. Tells a process from a later one with its id. */
function startTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

function belongsTo(pid: number, root: string, run: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/root`) === root && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(run);
  } catch {
    return false;
  }
}
