import { QueryFailedError } from 'typeorm';

/** Of the connection, not of the query: the classes 08 and 57P0x, too many connections, and what the socket says. */
const CODES =
  /^(08...|57P0[123]|53300|ECONNREFUSED|ECONNRESET|ENOENT|ENOTFOUND|EPIPE|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH)$/;
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout|Cannot use a pool after|Driver not Connected)/i;

/** Whether an error says that the database cannot be asked, rather than that the question was wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const { code } = cause as Error & { code?: unknown };
  const fromDatabase = 'severity' in cause || 'syscall' in cause;
  return (fromDatabase && typeof code === 'string' && CODES.test(code)) || MESSAGES.test(cause.message);
}
