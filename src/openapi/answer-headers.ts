interface DescribedHeader {
  readonly description: string;
  readonly required: boolean;
  readonly schema: { type: 'string' | 'integer' };
}

/** Of an answer that made something: `@ApiResponse({ headers: LOCATION, … })`. */
export const LOCATION = {
  Location: { description: 'Where it is', required: true, schema: { type: 'string' } },
} as const;

/** Of an answer that sets a cookie, always or only where it was asked for. */
export const setCookie = (name: string, required: boolean): Record<'Set-Cookie', DescribedHeader> => ({
  'Set-Cookie': { description: name, required, schema: { type: 'string' } },
});

const RETRY_AFTER: DescribedHeader = { description: 'Seconds', required: true, schema: { type: 'integer' } };

/** Of problems, by status: what tells a client how to go on. */
export const PROBLEM_HEADERS: Record<string, Record<string, DescribedHeader>> = {
  401: {
    'WWW-Authenticate': { description: 'What is accepted', required: true, schema: { type: 'string' } },
  },
  429: { 'Retry-After': RETRY_AFTER },
  503: { 'Retry-After': RETRY_AFTER },
};
