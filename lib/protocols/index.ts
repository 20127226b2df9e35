import { alterisk } from './alterisk';
import { amocrm } from './amocrm-widget';
import { bitrix24 } from './bitrix24-events';
import { card } from './card';
import { itgrix } from './itgrix';
import { json } from './json';
import { text } from './text';
import { uccx } from './uccx';
import { usercrm } from './usercrm';
import type { HttpProtocol, HttpProtocolName } from './types';

/** Every way to ask over HTTP, by name: a new protocol is one file and one line here. */
export const httpProtocols: Readonly<Record<HttpProtocolName, HttpProtocol>> = {
  itgrix,
  usercrm,
  uccx,
  card,
  text,
  json,
  alterisk,
  bitrix24,
  amocrm,
};
