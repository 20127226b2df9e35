/**
 * The two ways in which Node-RED lets a setting name an environment variable: `${NAME}`, and the older `$(NAME)`. Quotes and
 * the like are in no name, but in expressions: `${"id":1}` is JSONata.
 */
const VARIABLE = /^\$(?:\{([^\s"'{}():,]+)\}|\(([^\s"'{}():,]+)\))$/;

/**
 * The name of the environment variable that a text consists of, `undefined` when it is any other text. In a running node
 * such a variable is one that is not set: Node-RED fills in the others and leaves the name of this one in place, where it
 * must not become a password, a key or an address.
 */
export function variableIn(text: string): string | undefined {
  const found = VARIABLE.exec(text.trim());
  return found?.[1] ?? found?.[2];
}
