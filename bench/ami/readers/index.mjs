/**
 * Every reader: `open(port)` logs in and gives `flood()`, which asks for all events and resolves, when the answer behind
 * the last one has come, with how many the reader delivered; some also `output()`, the number of `Output:` lines of one
 * large answer. `sees` tells which events it must have delivered.
 */
import { openBare, parse, split } from './bare.mjs';
import { openOurs } from './ours.mjs';
import { openAmiIo, openAsteriskAmiClient, openAsteriskManager, openYana } from './peers.mjs';

export const readers = [
  { id: 'bare-split', title: 'bare splitter (finds CR LF CR LF, nothing else)', open: (port) => openBare(port, split) },
  { id: 'bare-parse', title: 'bare full parse (to a null-prototype object)', open: (port) => openBare(port, parse) },
  { id: 'ours-nobody', title: 'this pack, nobody subscribed', ours: true, open: (port) => openOurs(port, 'nobody') },
  {
    id: 'ours-one',
    title: 'this pack, one name subscribed (Hangup)',
    ours: true,
    sees: 'hangups',
    open: (port) => openOurs(port, 'one'),
  },
  { id: 'ours-all', title: 'this pack, every event fully read', ours: true, open: (port) => openOurs(port, 'all') },
  { id: 'yana', title: 'yana 0.3.0', open: openYana },
  { id: 'ami-io', title: 'ami-io 1.2.1', open: openAmiIo },
  { id: 'asterisk-manager', title: 'asterisk-manager 0.2.0', open: openAsteriskManager },
  { id: 'asterisk-ami-client', title: 'asterisk-ami-client 1.1.5', open: openAsteriskAmiClient },
];
