/** The CRM of the comparison: knows everybody, needs about 5 ms. In a process of its own; sends `{ port }`. */
import { createServer } from 'node:http';

const THINKS_MS = 5;
const body = JSON.stringify({ found: true, id: '42', name: 'Петров АА', extension: '101' });

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  setTimeout(() => response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(body), THINKS_MS);
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
