/** Of an answer that made something: `@ApiResponse({ headers: LOCATION, … })`. */
export const LOCATION = {
  Location: { description: 'Where it is', schema: { type: 'string', format: 'uri-reference' } },
} as const;

/** Of problems, by status: what tells a client how to go on. */
export const PROBLEM_HEADERS: Record<
  string,
  Record<string, { description: string; schema: { type: 'string' | 'integer' } }>
> = {
  401: { 'WWW-Authenticate': { description: 'What is accepted', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
};
