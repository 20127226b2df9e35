import { isAbsolute } from 'node:path';
import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { systemClock } from '../../lib/clock';
import { RecordingStore } from '../../lib/recordings';
import { recordingError } from '../../lib/recordings/errors';
import { contentTypeOf } from '../../lib/recordings/folder';
import type { Recordings } from '../../lib/recordings/types';
import { httpIsOff } from './http-routes';
import { keptKey } from './kept-key';
import { textOf } from './settings';

/** What the dialog of `ami-config` says of the recordings of its PBX. */
export interface RecordingsDef {
  /** The folder as this machine sees it; empty = no recordings. */
  readonly recordings?: string;
  /** The same folder as Asterisk names it. */
  readonly recordingsAsterisk?: string;
  /** Address under which the CRM reaches Node-RED's HTTP nodes; empty = no links. */
  readonly recordingsUrl?: string;
  /** How long a link works. */
  readonly recordingsDays?: string | number;
}

/** What Express says when it cannot send a file; 416 comes with the length that the file has. */
interface SendError extends Error {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const ROUTE = '/telephony-crm/recordings';
const DAY_MS = 24 * 60 * 60 * 1000;
const USUAL_DAYS = 365;
const MOST_DAYS = 3650;

const bad = (problemEn: string, problemRu: string): Error =>
  recordingError('RECORDING_BAD_SETTINGS', { problemEn, problemRu });

/** The recordings that nodes offer on one HTTP application: one handler for good, whatever is deployed. */
class RecordingRoutes {
  private readonly byId = new Map<string, { readonly pbx: string; readonly store: RecordingStore }>();

  constructor(red: NodeAPI) {
    red.httpNode.get(`${ROUTE}/:id/*`, (req: Request, res: Response) => void this.serve(req, res));
  }

  offer(id: string, pbx: string, store: RecordingStore): () => void {
    const entry = { pbx, store };
    this.byId.set(id, entry);
    return () => {
      if (this.byId.get(id) === entry) this.byId.delete(id);
    };
  }

  of(pbx: string): Recordings | undefined {
    for (const entry of this.byId.values()) if (entry.pbx === pbx) return entry.store;
    return undefined;
  }

  private async serve(req: Request, res: Response): Promise<void> {
    const id = req.params.id ?? '';
    // As it was sent: the link is decoded once, where its signature is checked.
    const below = req.path.slice(`${ROUTE}/${id}`.length);
    const file = await this.byId.get(id)?.store.openLink(below);
    if (file === undefined) {
      res.status(404).type('text/plain').send('Not found, or the link has expired.\n');
      return;
    }
    const headers = {
      'Content-Type': contentTypeOf(file),
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; media-src 'self'; sandbox",
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'private, no-transform',
    };
    // Answers ranges, which players need to jump; a client that goes away in the middle is no error of ours.
    res.sendFile(
      file,
      { headers, acceptRanges: true, dotfiles: 'allow', cacheControl: false },
      (thrown?: SendError) => {
        if (!thrown || res.headersSent) return;
        if (thrown.status === 416) res.status(416).set(thrown.headers ?? {});
        else res.status(404);
        res.type('text/plain').send(thrown.status === 416 ? 'The recording is shorter.\n' : 'Not found.\n');
      },
    );
  }
}

const routesOf = new WeakMap<object, RecordingRoutes>();

function routes(red: NodeAPI): RecordingRoutes {
  const app = red.httpNode as object;
  const known = routesOf.get(app) ?? new RecordingRoutes(red);
  routesOf.set(app, known);
  return known;
}

function linkBase(id: string, typed: string): string {
  let url: URL;
  try {
    url = new URL(typed);
  } catch {
    throw bad(`"${typed.slice(0, 80)}" is no full address.`, `«${typed.slice(0, 80)}» — не полный адрес.`);
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw bad(
      'the address must begin with https:// or http:// and hold no user name, query or fragment.',
      'адрес должен начинаться с https:// или http:// и не содержать имени пользователя, параметров и якоря.',
    );
  }
  return `${url.href.replace(/\/+$/, '')}${ROUTE}/${id}`;
}

function validDays(value: unknown): number {
  const days = Number(textOf(value) || USUAL_DAYS);
  if (Number.isInteger(days) && days >= 1 && days <= MOST_DAYS) return days;
  throw bad(`links must work for 1 to ${MOST_DAYS} days.`, `ссылки могут действовать от 1 до ${MOST_DAYS} дней.`);
}

/**
 * Offers the recordings of a PBX to deliveries, and by link to whoever has one. Returns the function that ends it;
 * `undefined` when the dialog names no folder. Throws `RECORDING_BAD_SETTINGS`.
 */
export function offerRecordings(red: NodeAPI, id: string, pbx: string, def: RecordingsDef): (() => void) | undefined {
  const folder = textOf(def.recordings);
  if (folder === '') return undefined;
  if (!isAbsolute(folder)) {
    throw bad(
      'the folder must be a full path, for instance /var/spool/asterisk/monitor.',
      'укажите полный путь к папке, например /var/spool/asterisk/monitor.',
    );
  }
  const asteriskFolder = textOf(def.recordingsAsterisk);
  const address = textOf(def.recordingsUrl);
  const links =
    address === '' || httpIsOff(red)
      ? undefined
      : {
          base: linkBase(id, address),
          key: keptKey(red, 'recordings.key', bad),
          validMs: validDays(def.recordingsDays) * DAY_MS,
        };
  const store = new RecordingStore({
    folder,
    clock: systemClock,
    ...(asteriskFolder === '' ? {} : { asteriskFolder }),
    ...(links === undefined ? {} : { links }),
  });
  return routes(red).offer(id, pbx, store);
}

/** The recordings of the PBX of this name, as deployed now. */
export function recordingsOf(red: NodeAPI, pbx: string): Recordings | undefined {
  return routes(red).of(pbx);
}
