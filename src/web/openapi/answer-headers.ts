interface DescribedHeader {
  readonly description: string;
  readonly required: boolean;
  readonly schema: { type: 'string' | 'integer' };
}

/** For an answer that created a resource: `@ApiResponse({ headers: LOCATION, … })`. */
export const LOCATION = {
  Location: { description: 'The URL of the new resource', required: true, schema: { type: 'string' } },
} as const;

/** For an answer that sets a cookie, always or on request. */
export const setCookie = (name: string, required: boolean): Record<'Set-Cookie', DescribedHeader> => ({
  'Set-Cookie': { description: name, required, schema: { type: 'string' } },
});

const RETRY_AFTER: DescribedHeader = {
  description: 'Seconds to wait',
  required: true,
  schema: { type: 'integer' },
};

/** For an answer to a counted request. Never required, since RATE_LIMITS=off removes them. */
export const RATE_LIMIT_HEADERS: Record<string, DescribedHeader> = {
  RateLimit: {
    description: 'Remaining requests, and seconds until the window ends',
    required: false,
    schema: { type: 'string' },
  },
  'RateLimit-Policy': { description: 'Quota and window', required: false, schema: { type: 'string' } },
};

/** For problems, by status. */
export const PROBLEM_HEADERS: Record<string, Record<string, DescribedHeader>> = {
  401: {
    'WWW-Authenticate': { description: 'Accepted schemes', required: true, schema: { type: 'string' } },
  },
  429: { 'Retry-After': RETRY_AFTER },
  503: { 'Retry-After': RETRY_AFTER },
};
