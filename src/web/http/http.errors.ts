import { defineProblem, ProblemError } from '../../platform/problems/problem.js';

export const MALFORMED_REQUEST = defineProblem({
  slug: 'malformed-request',
  status: 400,
  title: 'Malformed request',
  about:
    'The URL, a header or the body is malformed. Common causes are invalid JSON, bytes that are not UTF-8, JSON nested deeper than 20 levels, and the key __proto__.',
});
const METHOD_NOT_ALLOWED = defineProblem({
  slug: 'method-not-allowed',
  status: 405,
  title: 'Method not allowed',
  about: 'The route does not accept this method. The Allow header lists the methods that it accepts.',
});
export const BODY_TOO_LARGE = defineProblem({
  slug: 'body-too-large',
  status: 413,
  title: 'Body too large',
  about: 'The body must not be larger than 100 kB, unless the API reference has another limit for the route.',
});
export const UNSUPPORTED_MEDIA_TYPE = defineProblem({
  slug: 'unsupported-media-type',
  status: 415,
  title: 'Unsupported media type',
  about:
    'Send the body in UTF-8 with a Content-Type that the route accepts. This is application/json, unless the API reference has another type for the route.',
});
export const REQUEST_TIMEOUT = defineProblem({
  slug: 'request-timeout',
  status: 408,
  title: 'Request timeout',
  about: 'The request did not arrive completely in time. Send it again.',
});
export const HEADERS_TOO_LARGE = defineProblem({
  slug: 'headers-too-large',
  status: 431,
  title: 'Headers too large',
  about: 'The URL and all headers together must not be larger than 16 kB.',
});
const INTERNAL_ERROR = defineProblem({
  slug: 'internal-error',
  status: 500,
  title: 'Internal error',
  about:
    'The server failed. Its log has the details under the request id, which is the `instance` of the answer.',
});
const DATABASE_UNAVAILABLE = defineProblem({
  slug: 'database-unavailable',
  status: 503,
  title: 'Database unavailable',
  about:
    'The server cannot check credentials without its database, so it refuses requests. Repeat the request after the time in Retry-After.',
});
const OVERLOADED = defineProblem({
  slug: 'overloaded',
  status: 503,
  title: 'Server overloaded',
  about:
    'More requests arrive than the server can answer. It has not looked at this one. Repeat the request after the time in Retry-After.',
});
const SHUTTING_DOWN = defineProblem({
  slug: 'shutting-down',
  status: 503,
  title: 'Server shutting down',
  about: 'This node is shutting down. Repeat the request after the time in Retry-After.',
});

export class MalformedRequestError extends ProblemError {
  constructor(detail: string) {
    super(MALFORMED_REQUEST, detail);
  }
}

export class MethodNotAllowedError extends ProblemError {
  constructor(allowed: readonly string[]) {
    super(METHOD_NOT_ALLOWED, `This route accepts ${allowed.join(', ')}.`, {
      headers: { Allow: allowed.join(', ') },
    });
  }
}

export class UnsupportedMediaTypeError extends ProblemError {
  constructor(detail: string) {
    super(UNSUPPORTED_MEDIA_TYPE, detail);
  }
}

export class UnsupportedEncodingError extends ProblemError {
  constructor() {
    super(UNSUPPORTED_MEDIA_TYPE, 'Send the body without a Content-Encoding.', {
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
}

export class InternalError extends ProblemError {
  constructor() {
    super(INTERNAL_ERROR, 'The server failed. Its log has the details.');
  }
}

export class DatabaseUnavailableError extends ProblemError {
  constructor(extensions: Record<string, unknown> = {}) {
    super(DATABASE_UNAVAILABLE, 'The database is unavailable.', {
      headers: { 'Retry-After': '1' },
      extensions,
    });
  }
}

export class OverloadedError extends ProblemError {
  constructor() {
    super(OVERLOADED, 'The server is overloaded.', { headers: { 'Retry-After': '1' } });
  }
}

export class ShuttingDownError extends ProblemError {
  constructor() {
    super(SHUTTING_DOWN, 'Repeat the request.', { headers: { 'Retry-After': '1' } });
  }
}
