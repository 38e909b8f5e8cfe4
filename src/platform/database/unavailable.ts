import { types } from 'node:util';
import pg from 'pg';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TypeORMError,
} from 'typeorm';
import { SILENT } from './impatient-socket.js';

/**
 * SQLSTATEs of a server that ends or refuses connections, or is no longer the primary: class 08, shutdown (57P01 to
 * 57P05), too many connections, read-only.
 */
const STATES = /^(08...|57P0[1-5]|53300|25006)$/;
/** Error codes of an open socket. */
const SOCKET_CODES = /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/;
/** Messages of pg and `impatientSocket` in errors without a code. */
const MESSAGES = [
  SILENT,
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
];

/** By identity, because errors of other services look the same. */
const failuresToConnect = new WeakSet<object>();

/** Marks an error as a failure to connect to the database. */
export function markAsUnavailable<E>(error: E): E {
  if (typeof error === 'object' && error !== null) failuresToConnect.add(error);
  return error;
}

/** Whether a connection must be discarded after this SQLSTATE. The next connection can find the primary. */
export const endsConnection = (sqlState: string | undefined): boolean => STATES.test(sqlState ?? '');

/**
 * Whether an error means that the database is unavailable, and not that a query was wrong. Only errors of the pool and the
 * driver count, because a handler can call other services.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof QueryFailedError) return isConnectionLost(error.driverError);
  // A transaction whose connection was lost.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  if (error instanceof TypeORMError) return error.message === 'Driver not Connected';
  return typeof error === 'object' && error !== null && failuresToConnect.has(error);
}

function isConnectionLost(error: unknown): boolean {
  // Not `instanceof`: in Jest, Node's errors have another Error class.
  if (!types.isNativeError(error)) return false;
  if (error instanceof pg.DatabaseError) return error.severity === 'FATAL' || endsConnection(error.code);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined && SOCKET_CODES.test(code ?? '')) return true;
  return MESSAGES.some((message) => error.message.startsWith(message));
}
