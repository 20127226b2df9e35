/**
 * What one would write by hand: a Node HTTP server that asks the CRM with axios and answers the dialplan, with no checks,
 * no deadline, no cache. `/cached` is the same with an answer remembered for each number. Argument: the CRM's address.
 */
import { Agent, createServer } from 'node:http';
import axios from 'axios';

const crm = axios.create({ baseURL: process.argv[2], httpAgent: new Agent({ keepAlive: true }) });
const remembered = new Map();

async function ask(phone) {
  const { data } = await crm.get('/', { params: { phone } });
  return `name=${encodeURIComponent(data.name)}&number=${encodeURIComponent(data.extension)}`;
}

async function answer(url) {
  const phone = url.searchParams.get('phone');
  if (url.pathname !== '/cached') return ask(phone);
  if (!remembered.has(phone)) remembered.set(phone, await ask(phone));
  return remembered.get(phone);
}

const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
  try {
    const body = await answer(new URL(request.url, 'http://bare'));
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
  } catch (error) {
    response.writeHead(502).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
