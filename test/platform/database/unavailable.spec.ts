import pg from 'pg';
import { describe, expect, it } from '@jest/globals';
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
  TypeORMError,
} from 'typeorm';
import { isDatabaseUnavailable, markAsUnavailable } from '../../../src/platform/database/unavailable.js';

const fromServer = (code: string, severity = 'ERROR') =>
  Object.assign(new pg.DatabaseError('as the server says it', 21, 'error'), { code, severity });
const fromSystem = (syscall: string, code: string) => Object.assign(new Error(code), { code, syscall });
const inQuery = (error: Error) => new QueryFailedError('SELECT 1', [], error);

describe('isDatabaseUnavailable', () => {
  it.each<[string, unknown]>([
    ['shutdown', inQuery(fromServer('57P01', 'FATAL'))],
    ['shutdown, in the language of the server', inQuery(fromServer('57P01', 'ВАЖНО'))],
    ['crash of another backend', inQuery(fromServer('57P02'))],
    ['dropped database', inQuery(fromServer('57P04'))],
    ['idle session ended', inQuery(fromServer('57P05'))],
    ['idle transaction ended', inQuery(fromServer('25P03', 'FATAL'))],
    ['protocol', inQuery(fromServer('08P01'))],
    ['too many connections behind a pooler', inQuery(fromServer('53300'))],
    ['start of the server behind a pooler', inQuery(fromServer('57P03'))],
    ['end of the connection', inQuery(new Error('Connection terminated unexpectedly'))],
    ['broken client', inQuery(new Error('Client has encountered a connection error and is not queryable'))],
    ['closed client', inQuery(new Error('Client was closed and is not queryable'))],
    ['silent connection', inQuery(new Error('The database did not answer in time'))],
    ['reset connection', inQuery(fromSystem('read', 'ECONNRESET'))],
    ['write into a closed connection', inQuery(fromSystem('write', 'EPIPE'))],
    ['transaction whose connection was taken', new QueryRunnerAlreadyReleasedError()],
    ['its manager', new QueryRunnerProviderAlreadyReleasedError()],
    ['writes to a standby, or to a primary on its way out', inQuery(fromServer('25006'))],
    ['a driver that is not connected', new TypeORMError('Driver not Connected')],
  ])('says so of: %s', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  /** The same error may come from a service that a handler calls. */
  it.each<[string, Error]>([
    ['start of the server', fromServer('57P03', 'FATAL')],
    ['too many connections', fromServer('53300', 'FATAL')],
    ['no such database', fromServer('3D000', 'FATAL')],
    ['wrong password', fromServer('28P01', 'FATAL')],
    ['wrong password, in the language of the server', fromServer('28P01', 'ВАЖНО')],
    ['no permission to connect', fromServer('42501', 'FATAL')],
    ['nobody listens', fromSystem('connect', 'ECONNREFUSED')],
    ['no socket file', fromSystem('connect', 'ENOENT')],
    ['socket file of somebody else', fromSystem('connect', 'EACCES')],
    ['unknown host', fromSystem('getaddrinfo', 'ENOTFOUND')],
    ['nobody listens on any address', new AggregateError([fromSystem('connect', 'ECONNREFUSED')])],
    ['time-out of the pool', new Error('timeout exceeded when trying to connect')],
    ['time-out of a connection', new Error('Connection terminated due to connection timeout')],
    ['time-out of a client', new Error('timeout expired')],
    ['closed pool', new Error('Cannot use a pool after calling end on the pool')],
    ['no TLS', new Error('The server does not support SSL connections')],
  ])(
    'says so of a failure of the pool to connect, and of no other that looks like it: %s',
    (_name, error) => {
      expect(isDatabaseUnavailable(error)).toBe(false);
      expect(isDatabaseUnavailable(markAsUnavailable(error))).toBe(true);
    },
  );

  it.each<[string, unknown]>([
    ['unique violation', inQuery(fromServer('23505'))],
    ['no such table', inQuery(fromServer('42P01'))],
    ['no permission for a table', inQuery(fromServer('42501'))],
    ['serialization failure', inQuery(fromServer('40001'))],
    ['deadlock', inQuery(fromServer('40P01'))],
    ['statement time-out', inQuery(fromServer('57014'))],
    ['full disk', inQuery(fromServer('53100'))],
    ['a bug of ours', new TypeError('Connection is not a function')],
    ['a missing file', fromSystem('open', 'ENOENT')],
    ['a closed standard output', fromSystem('write', 'EIO')],
    ['something thrown that is no error', 'Connection terminated'],
    ['nothing', undefined],
  ])('does not say so of: %s', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});
