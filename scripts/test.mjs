// `npm test`: unit tests and node tests, straight from the sources.
import { createRequire } from 'node:module';
import { ensureInstalled, root, run } from './setup.mjs';

ensureInstalled();
const mocha = createRequire(`${root}/package.json`).resolve('mocha/bin/mocha.js');
run(process.execPath, [mocha, ...process.argv.slice(2)]);
