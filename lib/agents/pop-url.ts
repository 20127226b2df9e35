import { webAddress } from '../web-address';
import { agentError } from './errors';

export type PopVariables = Readonly<Record<string, string>>;

/** The page that shows what it was given, for trying a template out. */
const SHOW_VARS = /^show_vars(?:\/?\?|\/?$)/;

/** Beside the page of agents or below the root of the same server; `//host` and `/\host` would be another. */
const OWN_PAGE = /^(?:\.\.)?\/(?![/\\])[^\\\s]*$/;

/** What an agent's page may open: an address of the web, or a page of this server (`/…` or `../…`). `undefined`: it is neither. */
export function pageAddress(text: string): string | undefined {
  return OWN_PAGE.test(text) ? text : webAddress(text)?.href;
}

/** One address with `%parameters%`, as «Линия24» writes them. */
export class PopTemplate {
  /** What a page must be allowed to frame for it; absent: a page of our own. */
  readonly origin: string | undefined;

  /** Throws `AGENT_BAD_TEMPLATE`: also when parameters could choose the host. */
  constructor(private readonly template: string) {
    if (SHOW_VARS.test(template) || (OWN_PAGE.test(template) && !/^[^?#]*%/.test(template))) return;
    const [, head = ''] = /^(https?:\/\/[^/?#%\\]+)(?:[/?#]|$)/i.exec(template) ?? [];
    const address = webAddress(head);
    if (!address) throw agentError('AGENT_BAD_TEMPLATE', { template: template.slice(0, 200) });
    this.origin = address.origin;
  }

  /** The address with each known `%name%` replaced by its value, escaped; what is not known stays as it stands. */
  fill(variables: PopVariables): string {
    const filled = this.template.replace(/%([a-z]\w*)%/gi, (whole, name: string) =>
      Object.hasOwn(variables, name) ? escaped(variables[name] ?? '') : whole,
    );
    return this.origin === undefined ? filled : (webAddress(filled)?.href ?? this.origin);
  }
}

/** Half a surrogate pair, which a text from outside may hold, cannot be escaped. */
const escaped = (text: string): string => encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
