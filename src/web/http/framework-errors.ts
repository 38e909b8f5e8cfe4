import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { ProblemError, type ProblemKind } from '../../platform/problems/problem.js';
import {
  BODY_TOO_LARGE,
  HEADERS_TOO_LARGE,
  MALFORMED_REQUEST,
  REQUEST_TIMEOUT,
  UNSUPPORTED_MEDIA_TYPE,
} from './http.errors.js';

/** A status without a problem type (RFC 9457 4.2.1). */
const statusOnly = (status: number): ProblemKind => ({
  slug: 'http-exception',
  status,
  title: STATUS_CODES[status] ?? 'Error',
  about: '',
});

/**
 * An exception of Nest, such as `new ConflictException({ message: 'Taken', free: ['ada2'] })`. The answer has its status,
 * message and other fields. For a 5xx status, the answer has only the status.
 */
export class NestHttpError extends ProblemError {
  constructor(exception: HttpException) {
    const kind = statusOnly(exception.getStatus());
    const told = kind.status < 500;
    super(kind, told ? exception.message : kind.title, { extensions: told ? fieldsOf(exception) : {} });
  }
}

/** Without the members that the problem already has. */
function fieldsOf(exception: HttpException): Record<string, unknown> {
  const response = exception.getResponse();
  if (typeof response === 'string') return {};
  const { statusCode: _status, error: _title, message, ...fields } = response as Record<string, unknown>;
  for (const name of ['status', 'instance']) delete fields[name];
  // Validators use a list of messages, which cannot be a `detail`.
  return { ...fields, ...(typeof message !== 'string' && message !== undefined && { message }) };
}

class TransportError extends ProblemError {}

/** Errors of Fastify and Node's HTTP parser, by code. */
const BY_CODE: Record<string, [ProblemKind, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [BODY_TOO_LARGE, 'The body is larger than this route accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [UNSUPPORTED_MEDIA_TYPE, 'Send JSON with Content-Type: application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [MALFORMED_REQUEST, 'The body must have the size in Content-Length.'],
  FST_ERR_BAD_URL: [MALFORMED_REQUEST, 'The URL must be well-formed.'],
  HPE_HEADER_OVERFLOW: [HEADERS_TOO_LARGE, 'The URL and the headers together must not be larger than 16 kB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [REQUEST_TIMEOUT, 'The request did not arrive in time.'],
};

/** The problem for an error of Fastify, a plugin or Node's HTTP parser. Undefined for other errors. */
export function transportProblem(error: unknown): ProblemError | undefined {
  // Nest wraps Fastify's errors in an exception of its own.
  const thrown = error instanceof HttpException ? error.cause : error;
  const { code, statusCode, message } = (thrown ?? {}) as {
    code?: unknown;
    statusCode: number;
    message: string;
  };
  if (typeof code !== 'string') return undefined;
  const known = BY_CODE[code];
  if (known) return new TransportError(...known);
  // Other errors of Fastify and its plugins, and closed connections. The status alone is no proof, because errors of other
  // services can have one too.
  if (!/^(FST_|ECONNRESET$)/.test(code) || !(statusCode >= 400 && statusCode < 500)) return undefined;
  return statusCode === 400
    ? new TransportError(MALFORMED_REQUEST, 'The request is malformed.')
    : new TransportError(statusOnly(statusCode), message);
}
