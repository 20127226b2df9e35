/**
 * The least that can be done: the same Originates from a socket, as many at once, the next one when one has hung up. With a file, each
 * order is also noted there: put, begun before it is dialled, over, told; what comes in one turn of the event loop in one transaction.
 * Arguments: what it takes as JSON. Sends its parent what it cost.
 */
import { connect } from 'node:net';
import { startMeter } from './cost.mjs';
import { LINES } from './office.mjs';
import { BATCH, orderOf } from './orders.mjs';
import { bareSqlite } from '../store/ours.mjs';

const { file, address, orders } = JSON.parse(process.argv[2]);
const expires = Math.ceil(Date.now() / 1000) + 86_400;

class BareStore {
  waiting = [];

  constructor() {
    const { Database } = bareSqlite();
    this.db = new Database(file);
    this.db.all('PRAGMA locking_mode = EXCLUSIVE');
    this.db.all('PRAGMA journal_mode = WAL');
    this.db.exec(`PRAGMA synchronous = FULL;
      CREATE TABLE orders (id INTEGER PRIMARY KEY, key TEXT UNIQUE, state INTEGER DEFAULT 0, tries INTEGER DEFAULT 0,
        started_at INTEGER, ended_at INTEGER, body TEXT, outcome TEXT)`);
    this.put = this.db.prepare('INSERT INTO orders (id, key, body) VALUES (?, ?, ?)');
    this.begin = this.db.prepare('UPDATE orders SET state = 1, tries = tries + 1, started_at = ? WHERE id = ?');
    this.end = this.db.prepare('UPDATE orders SET state = 2, ended_at = ?, outcome = ? WHERE id = ?');
    this.tell = this.db.prepare('UPDATE orders SET state = 3 WHERE id = ?');
  }

  write(statement, values, then = () => {}) {
    if (this.waiting.push([statement, values, then]) === 1) setImmediate(() => this.commit());
  }

  commit() {
    const writes = this.waiting;
    this.waiting = [];
    this.db.exec('BEGIN');
    for (const [statement, values] of writes) statement.run(values);
    this.db.exec('COMMIT');
    for (const [, , then] of writes) then();
  }
}

/** Nothing is kept anywhere. */
const nowhere = { write: (_statement, _values, then = () => {}) => then() };

const socket = connect(address.port, address.host);
socket.setNoDelay(true);
socket.write(`Action: Login\r\nUsername: ${address.username}\r\nSecret: ${address.secret}\r\n\r\n`);
await new Promise((resolve) => socket.once('data', resolve));

const stop = startMeter();
const store = file ? new BareStore() : nowhere;
let next = 0;
let over = 0;

function dial() {
  if (next === orders) return;
  const n = (next += 1);
  store.write(store.begin, [Date.now(), n], () =>
    socket.write(
      `Action: Originate\r\nActionID: ${n}\r\nChannel: PJSIP/${orderOf(n).number.slice(1)}@trunk\r\nApplication: Playback\r\n` +
        `Data: notice\r\nTimeout: 45000\r\nAsync: true\r\nChannelId: bare-${n}\r\n` +
        `Variable: TCRM_ORDER=${n}\r\nVariable: TCRM_EXPIRES=${expires}\r\n\r\n`,
    ),
  );
}

function ended(n) {
  const outcome = JSON.stringify({ eventId: `order:${n}`, outcome: 'answered', ...orderOf(n) });
  store.write(store.end, [Date.now(), outcome, n], () => {
    store.write(store.tell, [n], () => {
      over += 1;
      if (over === orders) process.send(stop(), () => process.exit(0));
    });
  });
  dial();
}

let rest = '';
socket.setEncoding('latin1').on('data', (piece) => {
  const messages = (rest + piece).split('\r\n\r\n');
  rest = messages.pop();
  for (const message of messages) {
    if (!message.startsWith('Event: Hangup\r\n')) continue;
    ended(Number(/\r\nUniqueid: bare-(\d+)\r\n/.exec(message)[1]));
  }
});

for (let at = 0; file && at < orders; at += BATCH) {
  const rows = Array.from({ length: Math.min(BATCH, orders - at) }, (_, n) => at + n + 1);
  await Promise.all(
    rows.map(
      (n) => new Promise((resolve) => store.write(store.put, [n, `notice-${n}`, JSON.stringify(orderOf(n))], resolve)),
    ),
  );
}
for (let n = 0; n < LINES; n += 1) dial();
