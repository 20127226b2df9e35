// Before `npm pack` and `npm publish`. What is built already stays: another test may be reading it.
import { ensureBuilt } from './setup.mjs';

ensureBuilt();
