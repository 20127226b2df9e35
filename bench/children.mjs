import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts a module of the bench in a process of its own and resolves with it and the first thing it sends. */
export async function start(module, args = [], { withinMs = 120_000 } = {}) {
  const child = fork(module, args.map(String), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (complaint = (complaint + text).slice(-2000)));
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  try {
    const [first] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => {
        const late = signal === 'SIGKILL';
        const reason = late
          ? `not done within ${withinMs / 1000} s`
          : `ended with ${signal ?? code}: ${complaint.trim()}`;
        throw Object.assign(new Error(`${module.pathname ?? module} ${args.join(' ')}: ${reason}`), { late });
      }),
    ]);
    return { first, stop: () => stop(child), child };
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a module that measures once, and resolves with what it sends before it ends. */
export async function measure(module, args, options) {
  const { first, stop } = await start(module, args, options);
  await stop();
  return first;
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}
