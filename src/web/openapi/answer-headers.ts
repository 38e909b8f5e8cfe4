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

/** Of a route that is limited, where there are limits: for everybody, or for those who come with a key. */
export const RATE_LIMIT_HEADERS: Record<string, DescribedHeader> = {
  RateLimit: {
    description: 'What is left, and for how many seconds',
    required: false,
    schema: { type: 'string' },
  },
  'RateLimit-Policy': { description: 'The limit', required: false, schema: { type: 'string' } },
};

/** Of problems, by status: what tells a client how to go on. */
export const PROBLEM_HEADERS: Record<string, Record<string, DescribedHeader>> = {
  401: {
    'WWW-Authenticate': { description: 'What is accepted', required: true, schema: { type: 'string' } },
  },
  429: { 'Retry-After': RETRY_AFTER },
  503: { 'Retry-After': RETRY_AFTER },
};
