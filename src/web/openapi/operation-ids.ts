const VERBS: Record<string, string> = { POST: 'create', PUT: 'set', PATCH: 'update' };

/** Path segments for the caller's own resource. */
const CURRENT = new Set(['me', 'current']);

/**
 * Names an operation for generated clients after its method and path: `listSessions`, `getOrder`, `createApiKey`,
 * `getCurrentUser`. `@ApiOperation({ operationId })` overrides it.
 */
export function operationIdOf(method: string, path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && !/^v\d+$/.test(part));
  const last = parts.at(-1) ?? '';
  // A PUT or POST to a collection is about one resource, such as PUT /v1/email-verifications.
  const isOne = method === 'POST' || (method === 'PUT' && parts.length === 1);
  const words: string[] = [];
  for (const [i, part] of parts.entries()) {
    if (CURRENT.has(part)) words.splice(-1, 0, 'current');
    else if (!isParameter(part)) words.push(i === parts.length - 1 && !isOne ? part : singular(part));
  }
  const verb = method === 'GET' && isPlural(last) ? 'list' : (VERBS[method] ?? method.toLowerCase());
  return camelCase([isOne && method === 'PUT' ? 'update' : verb, ...words]);
}

const isParameter = (part: string) => part.startsWith(':') || part === '*';

const isPlural = (word: string) => /^[a-z-]*[^su]s$/.test(word);

const singular = (word: string) => (isPlural(word) ? word.replace(/ies$/, 'y').replace(/s$/, '') : word);

const camelCase = (words: string[]) =>
  words
    .flatMap((word) => word.split(/\W+/).filter(Boolean))
    .map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join('');
