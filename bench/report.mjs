/** Turns what was measured into the rows of the one table: result, ratio to what, goal, met or not. */
import { table } from './table.mjs';

const GOALS = {
  nobody: 0.5,
  all: 0.9,
  cpuPer100k: 0.25,
  outputMs: 50,
  p99: 1.3,
  cached: 0.8,
  accepted: 0.6,
  acceptedPerSecond: 20_000,
  startMs: 2000,
  ordersMb: 100,
  freeShare: 0.01,
  callMs: 20_000,
  heldMs: 50,
  pageMs: 50,
  growth: 1.5,
  drain: 1.1,
};

const HEADER = ['measured', 'who', 'result', 'ratio', 'to', 'CPU s per 100 000', 'peak MB', 'goal', 'met'];
const row = (measured, who, result, { ratio, to = '', cpu = '', rss = '', goal = '', met } = {}) => [
  measured,
  who,
  result,
  ratio === undefined ? '' : ratio < 0.01 ? ratio.toFixed(4) : ratio.toFixed(2),
  to,
  cpu,
  rss,
  goal,
  met === undefined ? '' : met ? 'yes' : 'NO',
];

const whole = (value) => Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
const perSecond = (value) => `${whole(value)}/s`;
const ms = (value) => `${value < 100 ? value.toFixed(1) : whole(value)} ms`;

function amiRows({ flood, output }) {
  const by = Object.fromEntries(flood.map((one) => [one.id, one]));
  const against = { split: by['bare-split'], parse: by['bare-parse'] };
  const goals = { 'ours-nobody': GOALS.nobody, 'ours-all': GOALS.all };
  const rows = flood.flatMap((one) => {
    const to = one.id === 'bare-split' || one.id === 'ours-nobody' || one.id === 'ours-one' ? 'split' : 'parse';
    const ratio = one.perSecond / against[to].perSecond;
    const least = goals[one.id];
    return [
      row('AMI events', one.title, perSecond(one.perSecond), {
        ratio,
        to: to === 'split' ? 'bare splitter' : 'bare full parse',
        cpu: one.cpuPer100k.toFixed(2),
        rss: whole(one.rssMb),
        ...(least && { goal: `at least ${least.toFixed(2)}`, met: ratio >= least }),
      }),
    ];
  });
  const cpu = flood
    .filter((one) => one.ours)
    .map((one) =>
      row('AMI CPU', one.title, `${one.cpuPer100k.toFixed(2)} s`, {
        ratio: one.cpuPer100k / by['asterisk-manager'].cpuPer100k,
        to: 'asterisk-manager',
        ...(one.id === 'ours-nobody' && {
          goal: `at most ${GOALS.cpuPer100k} s per 100 000`,
          met: one.cpuPer100k <= GOALS.cpuPer100k,
        }),
      }),
    );
  return [...rows, ...cpu, ...outputRows(output)];
}

function outputRows({ lines, ours, peer }) {
  const measured = `answer of ${whole(lines)} lines`;
  const cost = ({ busyMs, longestMs, cpuMs }) =>
    `loop busy ${ms(busyMs)} (CPU ${ms(cpuMs)}), at most ${ms(longestMs)} at once`;
  return [
    row(measured, 'this pack', cost(ours), {
      ratio: ours.busyMs / peer.busyMs,
      to: 'asterisk-manager',
      goal: `at most ${GOALS.outputMs} ms`,
      met: ours.busyMs <= GOALS.outputMs,
    }),
    row(measured, 'asterisk-manager 0.2.0', peer.atLeast ? `loop busy over ${ms(peer.busyMs)}, stopped` : cost(peer)),
  ];
}

function routeRows({ rate, clients, fresh, same }) {
  const cpu = ({ cpuPer100k }) => (Number.isNaN(cpuPer100k) ? '' : cpuPer100k.toFixed(0));
  const late = (one) => (one.late > 0 ? `, ${one.late} past the deadline` : '');
  const open = (who, one, more) =>
    row(`route, ${rate}/s, new numbers`, who, `p50 ${ms(one.p50)}, p99 ${ms(one.p99)}${late(one)}`, {
      cpu: cpu(one),
      ...more,
    });
  const closed = (who, one, more) =>
    row(`route, ${clients} clients, one number`, who, `${perSecond(one.perSecond)}${late(one)}`, {
      cpu: cpu(one),
      ratio: one.perSecond / same.bare.perSecond,
      to: 'bare server asking',
      ...more,
    });
  const p99 = fresh.ours.p99 / fresh.bare.p99;
  const cached = same.ours.perSecond / same.bare.perSecond;
  return [
    open('bare server, asks the CRM', fresh.bare),
    open('this pack, asks the CRM', fresh.ours, {
      ratio: p99,
      to: 'bare server (p99)',
      goal: `at most ${GOALS.p99.toFixed(2)}`,
      met: p99 <= GOALS.p99,
    }),
    open("Node-RED's core nodes, ask the CRM", fresh.core, {
      ratio: fresh.core.p99 / fresh.bare.p99,
      to: 'bare server (p99)',
    }),
    closed('bare server, asks the CRM', same.bare),
    closed('this pack, answers from its cache', same.ours, {
      goal: `at least ${GOALS.cached.toFixed(2)}`,
      met: cached >= GOALS.cached,
    }),
    closed('bare server, answers from a Map', same['bare-cached']),
    closed("Node-RED's core nodes, fixed text", same.core),
  ];
}

function callRows({ bare, tracked }) {
  const [, usual, most] = tracked;
  const cost = (microseconds) => `${microseconds.toFixed(1)} µs an event, ${perSecond(1e6 / microseconds)}`;
  const growth = (key) => most[key] / usual[key];
  const goal = (ratio) => ({
    ratio,
    to: `${whole(usual.live)} live`,
    goal: `at most ${GOALS.growth.toFixed(2)}`,
    met: ratio <= GOALS.growth,
  });
  return [
    row('events of calls', 'bare full parse, no call followed', cost(bare), { ratio: 1, to: 'bare full parse' }),
    ...tracked.map((one) =>
      row(
        'events of calls',
        `this pack, ${whole(one.live)} live`,
        `${cost(one.microseconds)}; ${whole(one.bytesPerCall)} bytes a live call`,
        { ratio: bare / one.microseconds, to: 'bare full parse' },
      ),
    ),
    row(
      'growth, an event',
      `this pack, ${whole(most.live)} live`,
      cost(most.microseconds),
      goal(growth('microseconds')),
    ),
    row(
      'growth, a live call',
      `this pack, ${whole(most.live)} live`,
      `${whole(most.bytesPerCall)} bytes`,
      goal(growth('bytesPerCall')),
    ),
  ];
}

function drainRows({ calls, crms }) {
  return crms.map(({ title, seconds, floor, requests, refused, perSecond: rate, burst }) => {
    const ratio = seconds / floor;
    const result = `${seconds.toFixed(1)} s for ${whole(requests)} requests, ${refused} refused; the limit alone ${floor.toFixed(1)} s`;
    return row(`${whole(calls)} calls of a minute, delivered`, `${title}, ${rate}/s after ${burst} at once`, result, {
      ratio,
      to: 'the limit alone',
      goal: `at most ${GOALS.drain.toFixed(2)}, none refused`,
      met: ratio <= GOALS.drain && refused === 0,
    });
  });
}

function storeRows({ accept, start, history }) {
  const most = Math.max(...accept.map(({ batch }) => batch));
  const accepted = accept.flatMap(({ batch, bare, ours }) => {
    const measured = `store, ${batch} events at a time`;
    const ratio = ours / bare;
    // How many a second is a question for a burst; of few at a time each waits for the disk, ours and the bare loop alike.
    const least = batch === most ? GOALS.acceptedPerSecond : 0;
    return [
      row(measured, 'bare node-sqlite3-wasm, one transaction for each batch', perSecond(bare), {
        ratio: 1,
        to: 'bare loop',
      }),
      row(measured, 'this pack, each accepted on disk', perSecond(ours), {
        ratio,
        to: 'bare loop',
        goal: `at least ${GOALS.accepted.toFixed(2)}${least > 0 ? ` and ${perSecond(least)}` : ''}`,
        met: ratio >= GOALS.accepted && ours >= least,
      }),
    ];
  });
  const pages = history.rows.map(({ title, ms: took, worstMs, longestMs }) =>
    row(
      `page of 50 out of ${whole(history.calls)} calls`,
      title,
      `${ms(took)}, slowest ${ms(worstMs)}, loop held at most ${ms(longestMs)}`,
      { goal: `at most ${GOALS.pageMs} ms`, met: took <= GOALS.pageMs },
    ),
  );
  return [
    ...accepted,
    row('store, start', `${whole(start.waiting)} events waiting`, ms(start.ms), {
      goal: `at most ${GOALS.startMs} ms`,
      met: start.ms <= GOALS.startMs,
    }),
    row('store, calls kept', `${whole(history.bytes / history.calls)} bytes a call`, perSecond(history.putPerSecond)),
    ...pages,
  ];
}

function orderRows({ waiting, put, rows }) {
  const cost = (microseconds) => `${microseconds.toFixed(0)} µs an order, ${perSecond(1e6 / microseconds)}`;
  const puts = put.flatMap(({ batch, bare, ours }) => {
    const measured = `orders, ${batch} at a time`;
    return [
      row(measured, 'bare node-sqlite3-wasm, one transaction for each batch', cost(bare), {
        ratio: 1,
        to: 'bare loop',
      }),
      row(measured, 'this pack, each accepted on disk', cost(ours), {
        ratio: bare / ours,
        to: 'bare loop',
        goal: `at least ${GOALS.accepted.toFixed(2)}`,
        met: bare / ours >= GOALS.accepted,
      }),
    ];
  });
  return [
    ...puts,
    ...rows.map(({ title, ms: took, worstMs }) =>
      row(`next order of ${whole(waiting)}`, title, `${ms(took)}, slowest ${ms(worstMs)}`, {
        goal: `at most ${GOALS.pageMs} ms`,
        met: took <= GOALS.pageMs,
      }),
    ),
  ];
}

function dialerRows({ waiting, lines, cost, refused }) {
  const { lines: count, callMs, gap, longestMs, firstMs, memory } = lines;
  const wait = `${whole(waiting)} orders waiting`;
  const percent = (length) => `${((100 * gap.ms) / (length + gap.ms)).toFixed(2)} %`;
  const free =
    callMs === GOALS.callMs
      ? `free ${percent(callMs)} of the time`
      : `free ${percent(callMs)} of the time, ${percent(GOALS.callMs)} with calls of ${GOALS.callMs / 1000} s`;
  const share = gap.ms / (GOALS.callMs + gap.ms);
  const more = memory.mb - memory.idleMb;
  return [
    row(
      `${count} lines, calls of ${callMs / 1000} s`,
      wait,
      `${free}: ${ms(gap.ms)} from call to call, slowest ${ms(gap.worstMs)}; loop held at most ${ms(longestMs)}`,
      {
        ratio: gap.ms / cost.bare.gapMs,
        to: 'bare client (from call to call)',
        goal: `at most ${100 * GOALS.freeShare} %`,
        met: share <= GOALS.freeShare,
      },
    ),
    row('dialler, start to the first Originate', wait, ms(firstMs), {
      goal: `at most ${GOALS.startMs} ms`,
      met: firstMs <= GOALS.startMs,
    }),
    row('dialler, memory over an idle process', wait, `${whole(more)} MB more`, {
      rss: whole(memory.mb),
      goal: `at most ${GOALS.ordersMb} MB more`,
      met: more <= GOALS.ordersMb,
    }),
    ...costRows(cost),
    row(
      `${whole(refused.perSecond)} orders a second, ${refused.maxWaiting} may wait`,
      `${whole(refused.orders)} orders`,
      `${refused.accepted} taken, ${whole(refused.refused)} refused, each answered (p99 ${ms(refused.p99)}); loop held at most ${ms(refused.longestMs)}`,
      {
        cpu: (refused.cpuMs * (100 / refused.orders)).toFixed(0),
        goal: `held at most ${GOALS.heldMs} ms`,
        met: refused.longestMs <= GOALS.heldMs,
      },
    ),
  ];
}

/** What one autocall costs from the order to its outcome, beside the least that dials it. */
function costRows({ bare, kept, playback, dialplan }) {
  const one = (who, { cpuMs, waits, bytes, gapMs }, ratio) =>
    row(
      'an autocall, 256 lines, calls of 1 s',
      who,
      `CPU ${cpuMs.toFixed(2)} ms; ${waits.toFixed(2)} waits for the disk, ${(bytes / 1024).toFixed(1)} KiB written; ${ms(gapMs)} from call to call`,
      { ratio, to: 'bare client that keeps (CPU)', cpu: (cpuMs * 100).toFixed(0) },
    );
  const against = ({ cpuMs }) => cpuMs / kept.cpuMs;
  return [
    one('bare client, keeps nothing', bare, against(bare)),
    one('bare client, keeps each order in bare SQLite', kept, 1),
    one('this pack, Playback', playback, against(playback)),
    one('this pack, dialplan and AsyncAGI', dialplan, against(dialplan)),
  ];
}

export function report({ ami, calls, route, store, orders, dialer, drain }) {
  const rows = [
    ...amiRows(ami),
    ...callRows(calls),
    ...routeRows(route),
    ...storeRows(store),
    ...orderRows(orders),
    ...dialerRows(dialer),
    ...drainRows(drain),
  ];
  const missed = rows
    .filter((cells) => cells.at(-1) === 'NO')
    .map((cells) => `${cells[0]}: ${cells[1]} (${cells[2]}; ${cells[7]})`);
  return { text: table(HEADER, rows), missed };
}
