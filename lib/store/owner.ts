import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { storeError } from './errors';

/**
 * Who has the store: a record beside the file, and a local socket that the kernel closes with its process, however that
 * ends. So a killed owner is provably gone, also one in another container on the same machine, where its pid means nothing.
 */
interface OwnerRecord {
  readonly pid: number;
  /** When that process began, so that another one with the same pid is not taken for it. */
  readonly started: string;
  readonly host: string;
  /** Of the running kernel: another one means that the machine was started anew, or is another machine. */
  readonly boot: string;
  /** The pid namespace in which `pid` means something. */
  readonly pids: string;
  readonly nonce: string;
}

type Life = 'running' | 'gone' | 'unknown';

/** The records of this process that are in use: another one with our pid was left by us, and is nobody's. */
const held = new Set<string>();

/** Two who find the same dead owner: the second takes the record away from the first within this time, or never. */
const SETTLE_MS = 60;

function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

/** When a process of this pid began, as the system tells it; empty when there is none. */
function startOf(pid: number): string {
  if (process.platform === 'linux') {
    // The second field is the name in brackets and may hold blanks; the start is the 22nd.
    const fields = textOf(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
      .split(') ')
      .pop();
    return fields?.split(' ')[19] ?? '';
  }
  if (process.platform === 'win32') return '';
  return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 2000 }).stdout.trim();
}

function ownRecord(): OwnerRecord {
  return {
    pid: process.pid,
    started: startOf(process.pid),
    host: hostname(),
    boot: textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')),
    pids: textOf(() => readlinkSync('/proc/self/ns/pid')),
    nonce: randomBytes(12).toString('hex'),
  };
}

function readRecord(path: string): OwnerRecord | 'unreadable' | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  try {
    const record = JSON.parse(text) as Partial<OwnerRecord> | null;
    if (typeof record?.pid === 'number' && typeof record.nonce === 'string') return record as OwnerRecord;
  } catch {
    // Torn by a crash or a full disk.
  }
  return 'unreadable';
}

function socketPath(file: string): string {
  if (process.platform !== 'win32') return `${file}.owner.sock`;
  return `\\\\.\\pipe\\telephony-crm-${createHash('sha256').update(file).digest('hex').slice(0, 32)}`;
}

function socketLife(path: string): Promise<Life> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('running');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED' ? 'gone' : code === 'EAGAIN' ? 'running' : 'unknown');
    });
  });
}

async function lifeOf(record: OwnerRecord, own: OwnerRecord, socket: string): Promise<Life> {
  // Without a boot id (not Linux) a reboot shows in the socket and in the start of the process.
  if (record.boot !== own.boot) return record.host === own.host ? 'gone' : 'unknown';
  if (own.boot === '' && record.host !== own.host) return 'unknown';
  const heard = await socketLife(socket);
  if (heard !== 'unknown') return heard;
  if (record.pids !== own.pids) return 'unknown';
  if (record.pid === own.pid && record.started === own.started) return held.has(record.nonce) ? 'running' : 'gone';
  try {
    process.kill(record.pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return 'gone';
  }
  const started = startOf(record.pid);
  return started !== '' && started !== record.started ? 'gone' : 'running';
}

/** Listens so that others see that we live; `undefined` on a filesystem without sockets, where the pid must do. */
function listen(path: string): Promise<Server | undefined> {
  if (process.platform !== 'win32') rmSync(path, { force: true });
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.on('error', () => resolve(undefined));
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** The right of this process to write one store file: of all that ask for it, on this machine or another, one has it. */
export class Owner {
  private constructor(
    private readonly path: string,
    private readonly nonce: string,
    private stamp: string,
    private readonly server: Server | undefined,
    /** Whoever had the store before did not close it. */
    readonly afterCrash: boolean,
  ) {}

  /** Throws `STORE_LOCKED`, `STORE_FOREIGN_OWNER`, or what the filesystem throws. */
  static async acquire(file: string): Promise<Owner> {
    const path = `${file}.owner`;
    const socket = socketPath(file);
    const own = ownRecord();
    let found = readRecord(path);
    if (found === 'unreadable') {
      // Perhaps it is being written just now.
      await sleep(SETTLE_MS);
      found = readRecord(path);
    }
    if (found !== undefined) {
      if (found !== 'unreadable') {
        const life = await lifeOf(found, own, socket);
        const named = { file, pid: found.pid, host: found.host, record: path };
        if (life === 'running') throw storeError('STORE_LOCKED', named);
        if (life === 'unknown') throw storeError('STORE_FOREIGN_OWNER', named);
      }
      rmSync(path, { force: true });
    }
    write(file, path, own);
    if (found !== undefined) {
      await sleep(SETTLE_MS);
      const now = readRecord(path);
      if (typeof now !== 'object' || now.nonce !== own.nonce) throw locked(file, path);
    }
    const stamp = stampOf(path);
    held.add(own.nonce);
    const server = await listen(socket);
    return new Owner(path, own.nonce, stamp, server, found !== undefined);
  }

  /** False when somebody took the store away meanwhile, or the record was deleted: nothing may be written any more. */
  isStillOwner(): boolean {
    try {
      const stamp = stampOf(this.path);
      if (stamp === this.stamp) return true;
      // Other rights, another owner or a hard link change the stamp too, and the record is still ours.
      const now = readRecord(this.path);
      if (typeof now !== 'object' || now.nonce !== this.nonce) return false;
      this.stamp = stamp;
      return true;
    } catch {
      return false;
    }
  }

  /** Gives the file back. A record that is not ours any more stays. */
  release(): void {
    this.server?.close();
    held.delete(this.nonce);
    if (this.isStillOwner()) rmSync(this.path, { force: true });
  }
}

/** Tells one record from another without reading it: an inode alone is given anew at once. */
function stampOf(path: string): string {
  const { ino, mtimeMs, ctimeMs } = statSync(path);
  return `${ino} ${mtimeMs} ${ctimeMs}`;
}

function write(file: string, path: string, own: OwnerRecord): void {
  try {
    writeFileSync(path, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') throw locked(file, path);
    // A full disk leaves an empty one.
    rmSync(path, { force: true });
    throw thrown;
  }
}

function locked(file: string, path: string): Error {
  const other = readRecord(path);
  const { pid, host } = typeof other === 'object' ? other : { pid: '?', host: hostname() };
  return storeError('STORE_LOCKED', { file, pid, host });
}
