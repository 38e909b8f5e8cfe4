/** A path segment that Nest, Fastify and OpenAPI read in the same way: text, or one whole parameter. */
const PLAIN = /^(?:[^:*{}()[\]\\]*|:\w+)$/;

const partsOf = (path: string) => path.split('/').slice(1);

/** Whether a path has only names, whole parameters and at most one `*`, at its end. */
export const isPlain = (path: string): boolean =>
  partsOf(path).every((part, i, all) => PLAIN.test(part) || (part === '*' && i === all.length - 1));

/** Whether a path matches the pattern of a route. `/v1/orders/` does not match `/v1/orders`. */
export function isAt(pattern: string, path: string): boolean {
  const [named, asked] = [partsOf(pattern), partsOf(path)];
  const isOpen = named.at(-1) === '*';
  if (isOpen ? asked.length < named.length : asked.length !== named.length) return false;
  return named.every(
    (part, i) => part === '*' || (part.startsWith(':') ? asked[i] !== '' : part === asked[i]),
  );
}

/** The path in OpenAPI notation: `/v1/orders/{id}`. */
export const toDocumentPath = (pattern: string): string =>
  pattern.replaceAll(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}');
