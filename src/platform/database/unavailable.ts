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
 * SQLSTATEs of a server that ends or refuses a connection, or takes no writes since it is no primary any more: class 08,
 * shutdown (57P01 to 57P05), too many connections, read-only. FATAL says so too, but in the language of the server.
 */
const STATES = /^(08...|57P0[1-5]|53300|25006)$/;
/** Of a socket that was open. */
const SOCKET_CODES = /^(ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN)$/;
/** What pg and our sockets say in errors that have no code. */
const MESSAGES = [
  SILENT,
  'Connection terminated',
  'Client has encountered a connection error',
  'Client was closed and is not queryable',
];

/** By identity: an error of another service looks the same. */
const failuresToConnect = new WeakSet<object>();

/** Notes that an error is why there is no connection to the database, whatever it says. */
export function markAsUnavailable<E>(error: E): E {
  if (typeof error === 'object' && error !== null) failuresToConnect.add(error);
  return error;
}

/** Whether a connection that got this SQLSTATE is of no use: it is discarded, and the next one may find the primary. */
export const endsConnection = (sqlState: string | undefined): boolean => STATES.test(sqlState ?? '');

/**
 * Whether an error says that the database cannot be asked, rather than that the question was wrong. It must come from
 * the pool or the driver: a service that a handler calls may be unreachable too.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof QueryFailedError) return isConnectionLost(error.driverError);
  // TypeORM takes the connection away from a transaction in which it was lost.
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  if (error instanceof TypeORMError) return error.message === 'Driver not Connected';
  return typeof error === 'object' && error !== null && failuresToConnect.has(error);
}

function isConnectionLost(error: unknown): boolean {
  // Not `instanceof`: Node's own errors have another Error than the sandbox of a test.
  if (!types.isNativeError(error)) return false;
  if (error instanceof pg.DatabaseError) return error.severity === 'FATAL' || endsConnection(error.code);
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined && SOCKET_CODES.test(code ?? '')) return true;
  return MESSAGES.some((message) => error.message.startsWith(message));
}
