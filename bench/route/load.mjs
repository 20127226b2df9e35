/**
 * Asks one route address and measures, in a process of its own.
 * `open URL rate seconds from`: one question every 1/rate seconds whatever the answers do, each about another number; the
 * latency counts from the moment a question was due, so that a stalled server cannot hide the questions behind the stall.
 * `closed URL clients seconds`: so many clients, each asking again as soon as it is answered, all about one number.
 */
import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';

const agent = new Agent({ keepAlive: true });

let late = 0;

/**
 * Resolves when the answer has fully arrived. An empty one counts as `late`: the pack keeps its deadline and lets the call go
 * its usual way when the CRM's word is not there in time, which an overloaded machine can cause.
 */
const ask = (url, phone) =>
  new Promise((resolve, reject) => {
    get(`${url}?phone=${phone}&trunk=74951000101&callid=1795204705.1`, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => (body += text));
      response.on('error', reject).on('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`${url}: ${response.statusCode} ${body}`));
        if (!body.includes('number=101')) late += 1;
        resolve();
      });
    }).on('error', reject);
  });

const numberOf = (index) => `8903${String(index).padStart(7, '0')}`;

/** A timer is up to a millisecond late: it wakes us early, the rest is waited out while answers are still read. */
async function untilDue(due) {
  const early = due - performance.now() - 1.5;
  if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
  while (performance.now() < due) await new Promise(setImmediate);
}

async function open(url, rate, seconds, from) {
  const begin = performance.now() + 20;
  const latencies = [];
  const asked = [];
  for (let index = 0; index < rate * seconds; index += 1) {
    const due = begin + (index * 1000) / rate;
    await untilDue(due);
    asked.push(ask(url, numberOf(from + index)).then(() => latencies.push(performance.now() - due)));
  }
  await Promise.all(asked);
  return { latencies, answered: latencies.length };
}

async function closed(url, clients, seconds) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let answered = 0;
  const client = async () => {
    while (performance.now() < end) {
      await ask(url, numberOf(0));
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { perSecond: answered / ((performance.now() - begin) / 1000), answered };
}

const [mode, url, ...numbers] = process.argv.slice(2);
const result = await (mode === 'open' ? open : closed)(url, ...numbers.map(Number));
if (late > result.answered / 2) throw new Error(`${url}: ${late} of ${result.answered} answers were empty`);
process.send({ ...result, late }, () => process.exit(0));
