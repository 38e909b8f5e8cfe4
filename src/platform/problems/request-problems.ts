import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { defineProblem, ProblemError, type ProblemKind } from './problem.js';

const MALFORMED_REQUEST = defineProblem({
  slug: 'malformed-request',
  status: 400,
  title: 'The request cannot be read',
  about:
    'The URL, the headers or the body are not well-formed: broken JSON, bytes that are not UTF-8, JSON nested deeper than 20, or a key such as __proto__ that has no place in data.',
});
const METHOD_NOT_ALLOWED = defineProblem({
  slug: 'method-not-allowed',
  status: 405,
  title: 'The method is not allowed here',
  about:
    'The route exists, but does not answer to this method. The Allow header names those that it answers to.',
});
const BODY_TOO_LARGE = defineProblem({
  slug: 'body-too-large',
  status: 413,
  title: 'The body is too large',
  about: 'A body can have 100 kB, unless the API reference names another limit.',
});
const UNSUPPORTED_MEDIA_TYPE = defineProblem({
  slug: 'unsupported-media-type',
  status: 415,
  title: 'The media type is not supported',
  about:
    'Send the body in UTF-8 with a Content-Type that the route accepts: application/json, unless the API reference names another one.',
});
const REQUEST_TIMEOUT = defineProblem({
  slug: 'request-timeout',
  status: 408,
  title: 'The request took too long to arrive',
  about: 'The connection was open, but the request did not arrive in time. Send it again.',
});
const HEADERS_TOO_LARGE = defineProblem({
  slug: 'headers-too-large',
  status: 431,
  title: 'The headers are too large',
  about: 'The URL and all headers together may have 16 kB.',
});
const INTERNAL_ERROR = defineProblem({
  slug: 'internal-error',
  status: 500,
  title: 'Something went wrong here',
  about:
    'The fault is the server’s, and it is in its log under the request id that the answer carries as `instance`.',
});
const DATABASE_UNAVAILABLE = defineProblem({
  slug: 'database-unavailable',
  status: 503,
  title: 'The database cannot be reached',
  about:
    'No credential can be checked without it, so everything is refused until it is back. Repeat the request after the time that Retry-After names.',
});

const SHUTTING_DOWN = defineProblem({
  slug: 'shutting-down',
  status: 503,
  title: 'The server is shutting down',
  about:
    'The node that was asked is being stopped. Repeat the request after the time that Retry-After names: another node answers it, or this one after its restart.',
});

export class MalformedRequestError extends ProblemError {
  constructor(detail: string) {
    super(MALFORMED_REQUEST, detail);
  }
}

export class MethodNotAllowedError extends ProblemError {
  constructor(allowed: readonly string[]) {
    super(METHOD_NOT_ALLOWED, `This route answers to ${allowed.join(', ')}.`, {
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
    super(INTERNAL_ERROR, 'The server made a mistake. It is logged.');
  }
}

export class DatabaseUnavailableError extends ProblemError {
  constructor() {
    super(DATABASE_UNAVAILABLE, 'The database cannot be reached.', { headers: { 'Retry-After': '1' } });
  }
}

export class ShuttingDownError extends ProblemError {
  constructor() {
    super(SHUTTING_DOWN, 'Repeat the request.', { headers: { 'Retry-After': '1' } });
  }
}

/** No kind of problem, only a status (RFC 9457 4.2.1). */
const statusOnly = (status: number): ProblemKind => ({
  slug: 'http-exception',
  status,
  title: STATUS_CODES[status] ?? 'Error',
  about: '',
});

/**
 * An exception of Nest's own, such as `new ConflictException({ message: 'Taken', free: ['ada2'] })`: its status, its
 * message and its other fields. Those of the server's own failures are told to nobody.
 */
export class NestHttpError extends ProblemError {
  constructor(exception: HttpException) {
    const kind = statusOnly(exception.getStatus());
    const told = kind.status < 500;
    super(kind, told ? exception.message : kind.title, { extensions: told ? fieldsOf(exception) : {} });
  }
}

/** Without what the problem says itself. */
function fieldsOf(exception: HttpException): Record<string, unknown> {
  const response = exception.getResponse();
  if (typeof response === 'string') return {};
  const { statusCode: _status, error: _title, message, ...fields } = response as Record<string, unknown>;
  for (const name of ['status', 'instance']) delete fields[name];
  // A list of messages, as validators make it, is no text for `detail`.
  return { ...fields, ...(typeof message !== 'string' && message !== undefined && { message }) };
}

class TransportError extends ProblemError {}

/** The refusals of Fastify and of Node's HTTP parser, by their code. */
const BY_CODE: Record<string, [ProblemKind, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [BODY_TOO_LARGE, 'The body has more bytes than this route accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [UNSUPPORTED_MEDIA_TYPE, 'Send JSON, with Content-Type: application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    MALFORMED_REQUEST,
    'The body has another size than Content-Length says.',
  ],
  FST_ERR_BAD_URL: [MALFORMED_REQUEST, 'The URL is not well-formed.'],
  HPE_HEADER_OVERFLOW: [HEADERS_TOO_LARGE, 'The URL and the headers have more than 16 kB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [REQUEST_TIMEOUT, 'The request did not arrive in time.'],
};

/** The problem for an error of Fastify's, of a plugin's or of Node's HTTP parser; undefined if it is none of theirs. */
export function transportProblem(error: unknown): ProblemError | undefined {
  // Nest hands on what Fastify threw as the cause of an exception of its own.
  const thrown = error instanceof HttpException ? error.cause : error;
  const { code, statusCode, message } = (thrown ?? {}) as {
    code?: unknown;
    statusCode: number;
    message: string;
  };
  if (typeof code !== 'string') return undefined;
  const known = BY_CODE[code];
  if (known) return new TransportError(...known);
  // Their other refusals, those of plugins, and a client that hung up. A status alone says nothing: a service that we
  // call may have one too.
  if (!/^(FST_|ECONNRESET$)/.test(code) || !(statusCode >= 400 && statusCode < 500)) return undefined;
  return statusCode === 400
    ? new TransportError(MALFORMED_REQUEST, 'The request cannot be read.')
    : new TransportError(statusOnly(statusCode), message);
}
