import { types } from 'node:util';
import pg from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from 'typeorm';
import { SILENT } from './impatient-socket.js';

/**
 * SQLSTATEs that end the connection or refuse it: its class 08, shutdown (57P01 to 57P05), too many connections. FATAL
 * says so too, but in the language of the server.
 */
const STATES = /^(08...|57P0[1-5]|53300)$/;
/** Of a socket that was open; whatever fails in `connect` or `getaddrinfo` counts as well. */
const SOCKET_CODES = /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/;
/** What pg, its pool, TypeORM and our sockets say in errors that have no code. */
const MESSAGES = [
  SILENT,
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Cannot use a pool after calling end',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  'Driver not Connected',
];

/** Whether an error says that the database cannot be asked, rather than that the question was wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof QueryFailedError) return isConnectionLost(error.driverError);
  // TypeORM wraps what a query fails with: this comes from connecting, for which no database, no permission to enter it
  // and a wrong password (3D000, 42501, 28P01) are the server's fault, not the statement's.
  if (error instanceof pg.DatabaseError) return true;
  return isConnectionLost(error);
}

function isConnectionLost(error: unknown): boolean {
  // Not `instanceof`: Node's own errors have another Error than the sandbox of a test.
  if (!types.isNativeError(error)) return false;
  // One error for each address that a name has.
  if ('errors' in error) return [error.errors].flat().some(isConnectionLost);
  if (error instanceof pg.DatabaseError) return error.severity === 'FATAL' || STATES.test(error.code ?? '');
  // TypeORM takes the connection away from a transaction in which it was lost.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === 'connect' || syscall === 'getaddrinfo') return true;
  if (syscall !== undefined && SOCKET_CODES.test(code ?? '')) return true;
  return MESSAGES.some((message) => error.message.startsWith(message));
}
