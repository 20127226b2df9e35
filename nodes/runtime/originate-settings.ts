import type { NodeDef } from 'node-red';
import { Fields } from '../../lib/dialer/fields';
import type { OrderSettings } from '../../lib/dialer/order';
import type { DialerSettings, OrderMode, PlainTarget, RetriedOutcome, Window } from '../../lib/dialer/types';
import { TelephonyError } from '../../lib/errors';
import type { PlayMode } from './dial-lines';
import { nodeError } from './errors';
import { textOf } from './settings';

/** The dialog of `originate` as it is saved; whatever a person or an old flow left out is absent. */
export interface OriginateDef extends NodeDef {
  readonly via?: string;
  readonly pbx?: string;
  readonly finesse?: string;
  readonly store?: string;
  readonly crm?: string;
  readonly mode?: string;
  readonly play?: string;
  readonly variables?: readonly { readonly name?: string; readonly value?: string }[];
  readonly files?: string;
  readonly trunkLines?: readonly { readonly trunk?: string; readonly lines?: string | number }[];
  readonly windows?: readonly { readonly days?: readonly unknown[]; readonly from?: string; readonly to?: string }[];
}

export interface OriginateSettings {
  readonly order: OrderSettings;
  readonly dialer: DialerSettings;
  readonly play: PlayMode;
}

const MODES: readonly OrderMode[] = ['click', 'autocall', 'plain'];
const MAX_LINES = 256;
const MAX_ROWS = 50;
/** What each mode may have: tries and seconds between them. */
const MOST = { click: [3, 10], autocall: [99, 3600], plain: [1, 3600] } as const;
const TRIES: Readonly<Record<RetriedOutcome, string>> = {
  busy: 'triesBusy',
  'no-answer': 'triesNoAnswer',
  machine: 'triesMachine',
  failed: 'triesFailed',
};

/** Reads the dialog. Throws `ORIGINATE_BAD_SETTINGS`, which names the field and what to write there. */
export function originateSettings(def: OriginateDef): OriginateSettings {
  try {
    const mode = MODES.find((one) => one === def.mode) ?? 'click';
    return {
      order: orderSettings(def, mode),
      dialer: dialerSettings(def),
      play: def.play === 'playback' ? 'playback' : 'dialplan',
    };
  } catch (thrown) {
    // What is wrong with a field is said in the same words, wherever the field stands.
    if (!(thrown instanceof TelephonyError) || thrown.params.problemEn === undefined) throw thrown;
    throw nodeError('ORIGINATE_BAD_SETTINGS', thrown.params);
  }
}

function orderSettings(def: OriginateDef, mode: OrderMode): OrderSettings {
  const fields = new Fields(def, '');
  const [tries, period] = MOST[mode];
  const seconds = fields.whole('expires', 1, 30 * 24 * 60 * 60);
  const callerId = new Fields(
    { callerId: { number: textOf(fieldOf(def, 'callerNumber')), name: textOf(fieldOf(def, 'callerName')) } },
    '',
  );
  const names = (def.variables ?? []).filter(({ name }) => textOf(name) !== '').slice(0, MAX_ROWS);
  const variables = Object.fromEntries(names.map(({ name, value }) => [textOf(name), textOf(value)] as const));
  const shares = Object.entries(TRIES).map(([outcome, name]) => [outcome, fields.whole(name, 1, 99)] as const);
  const [language, prompt, channel] = [fields.language('language'), fields.file('prompt'), fields.channel('channel')];
  const shown = callerId.callerId('callerId');
  const to = plainTarget(fields);
  const timeZone = mode === 'autocall' ? fields.timeZone('timeZone') : undefined;
  return {
    mode,
    tries: (mode === 'plain' ? undefined : fields.whole('tries', 1, tries)) ?? 1,
    periodMs: (fields.whole('period', 1, period) ?? Math.min(60, period)) * 1000,
    variables: new Fields({ variables }, '').variables('variables'),
    files:
      new Fields(
        {
          files: textOf(def.files)
            .split(/[\s,&]+/)
            .filter(Boolean)
            .join('&'),
        },
        '',
      ).files('files') ?? [],
    detectMachine: fields.flag('detectMachine') ?? false,
    triesOf: Object.fromEntries(shares.filter(([, count]) => count !== undefined)),
    ringMs: (fields.whole('ring', 1, 600) ?? 30) * 1000,
    ...(seconds === undefined ? {} : { expiresMs: seconds * 1000 }),
    ...(shown === undefined ? {} : { callerId: shown }),
    ...(language === undefined ? {} : { language }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(channel === undefined ? {} : { channel }),
    ...(to === undefined ? {} : { to }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

const fieldOf = (def: OriginateDef, name: string): unknown =>
  (def as unknown as Readonly<Record<string, unknown>>)[name];

/** Where the channel of a plain order goes: an application wins over a context. */
function plainTarget(fields: Fields): PlainTarget | undefined {
  const application = fields.text('application', 79);
  if (application !== undefined) return { application, data: fields.text('applicationData', 500) ?? '' };
  const context = fields.context('context');
  return context === undefined ? undefined : { context, exten: fields.exten('exten') ?? 's', priority: 1 };
}

function dialerSettings(def: OriginateDef): DialerSettings {
  const fields = new Fields(def, '');
  const trunks = (def.trunkLines ?? []).filter(({ trunk }) => textOf(trunk) !== '').slice(0, MAX_ROWS);
  const most = trunks.map(
    (row) => [textOf(row.trunk), new Fields(row, 'trunkLines.').whole('lines', 1, MAX_LINES) ?? 1] as const,
  );
  return {
    lines: fields.whole('lines', 1, MAX_LINES) ?? 10,
    trunkLines: Object.fromEntries(most),
    windows: (def.windows ?? []).slice(0, MAX_ROWS).map(windowOf),
    maxWaiting: fields.whole('maxWaiting', 1, 1_000_000) ?? 100_000,
  };
}

function windowOf({ days = [], from, to }: NonNullable<OriginateDef['windows']>[number]): Window {
  const chosen = days.map(Number).filter((day) => Number.isInteger(day) && day >= 1 && day <= 7);
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  if (chosen.length === 0 || begin === undefined || begin === 24 * 60 || end === undefined) {
    throw nodeError('ORIGINATE_BAD_SETTINGS', {
      problemEn: 'a window needs at least one day and times like 09:00 and 21:00.',
      problemRu: 'в окне нужен хотя бы один день и время вида 09:00 и 21:00.',
    });
  }
  return { days: chosen, from: begin, to: end };
}

/** Minutes after midnight of `9:00`; `24:00` is the end of the day. */
function minutesOf(text: unknown): number | undefined {
  const [, hours = '', minutes = ''] = /^(\d{1,2}):(\d{2})$/.exec(textOf(text)) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return hours !== '' && Number(minutes) < 60 && total <= 24 * 60 ? total : undefined;
}
