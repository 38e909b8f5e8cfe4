import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from '../platform/database/unavailable.js';

/** Codes of Node and OpenSSL for an untrusted certificate. */
const UNTRUSTED = /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|ERR_TLS_CERT)/;
const PERMISSION_DENIED = '42501';

/** Explains an error of the database at the start, without its password. Undefined for other errors. */
export function explainDatabase(error: unknown): string | undefined {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return undefined;
  const { code = '', path, syscall, hostname } = cause as NodeJS.ErrnoException & { hostname?: string };
  if (syscall === 'open' && path !== undefined && variables().some(([, url]) => filesOf(url).includes(path)))
    return `The file ${path} in ${named()} cannot be read (${code}).`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of the database is not valid for the host in ${named()} (${cause.message}).`;
  if (UNTRUSTED.test(code))
    return `The certificate of the database in ${named()} is not trusted (${cause.message}). Set sslrootcert to its CA file.`;
  if (syscall === 'getaddrinfo') return `The host ${hostname} in ${named()} cannot be resolved (${code}).`;
  if (error instanceof QueryFailedError && code === PERMISSION_DENIED)
    return `The role in ${named()} lacks a privilege: ${cause.message}. Migrations need CREATE on the schema.`;
  if (!isDatabaseUnavailable(error)) return undefined;
  return cause instanceof pg.DatabaseError
    ? `The database in ${named()} refused the connection: ${cause.message}.`
    : `The database in ${named()} cannot be reached.`;
}

const variables = () =>
  ['DATABASE_URL', 'DATABASE_LISTEN_URL'].flatMap((name) => {
    const url = process.env[name];
    return url ? [[name, url] as const] : [];
  });

const named = () =>
  variables()
    .map(([name]) => name)
    .join(' or ') || 'DATABASE_URL';

/** The files in a connection string. */
const filesOf = (url: string) => {
  const { searchParams } = new URL(url);
  return ['sslrootcert', 'sslcert', 'sslkey'].map((name) => searchParams.get(name));
};
