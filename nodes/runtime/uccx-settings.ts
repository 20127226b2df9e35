import type { NodeDef } from 'node-red';
import { isTimeZone } from '../../lib/time-zone';
import type { Text, TelephonyError } from '../../lib/errors';
import { DIRECTIONS } from '../../lib/messages/types';
import { uccxError } from '../../lib/uccx/errors';
import type { RowClock } from '../../lib/uccx/moments';
import type { UccxSettings } from '../../lib/uccx/records';
import { FieldReader } from './field-reader';
import { numberingOf } from './numbering';

/** The dialog of `uccx-records` as it is saved; whatever a person or an old flow left out is absent. */
export interface UccxRecordsDef extends NodeDef {
  /** What the contact centre is called in the records. */
  readonly pbx?: string;
  /** `utc`, `offset` or `zone`: by which clocks the times of the rows are. */
  readonly clock?: string;
  readonly timeZone?: string;
  readonly country?: string;
  readonly extensions?: string;
  /** What CUCM has before a number of outside. */
  readonly prefix?: string;
  readonly directions?: readonly string[];
}

const TIME_ZONE: Text = { en: 'Time zone', ru: 'Часовой пояс' };
const PREFIX: Text = { en: 'Outside line', ru: 'Выход в город' };

/** Throws a TelephonyError that names the field. */
export function uccxSettings(def: UccxRecordsDef): UccxSettings {
  const fields = new FieldReader(def.name, (name: string, { en, ru }: Text): TelephonyError =>
    uccxError('UCCX_BAD_SETTINGS', { name, problemEn: en, problemRu: ru }),
  );
  const prefix = fields.text(PREFIX, def.prefix);
  if (!/^[0-9*#]{0,10}$/.test(prefix)) {
    throw fields.unusable(PREFIX, prefix, { en: 'digits only, at most 10.', ru: 'только цифры, не больше 10.' });
  }
  const chosen = DIRECTIONS.filter((direction) => def.directions?.includes(direction));
  return {
    pbx: fields.text({ en: 'Contact centre', ru: 'Контакт-центр' }, def.pbx) || 'UCCX',
    plan: numberingOf(fields, def),
    clock: clockOf(fields, def),
    prefix,
    directions: chosen.length > 0 ? chosen : ['in'],
  };
}

function clockOf(fields: FieldReader, { clock, timeZone }: UccxRecordsDef): RowClock {
  if (clock !== 'zone') return { by: clock === 'offset' ? 'offset' : 'utc' };
  const zone = fields.text(TIME_ZONE, timeZone);
  if (isTimeZone(zone)) return { by: 'zone', zone };
  throw fields.unusable(TIME_ZONE, zone, {
    en: 'write the name of a time zone, such as Europe/Moscow.',
    ru: 'напишите название часового пояса, например Europe/Moscow.',
  });
}
