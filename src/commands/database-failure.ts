import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from '../platform/database/unavailable.js';

/** Node's and OpenSSL's codes for a certificate that they do not accept. */
const UNTRUSTED = /^(CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|INVALID_CA|ERR_TLS_CERT)/;
const PERMISSION_DENIED = '42501';

/** One sentence for an error of the database at the start, undefined for any other. Never with a password. */
export function explainDatabase(error: unknown): string | undefined {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return undefined;
  const { code = '', path, syscall, hostname } = cause as NodeJS.ErrnoException & { hostname?: string };
  if (syscall === 'open' && path !== undefined && variables().some(([, url]) => filesOf(url).includes(path)))
    return `The file ${path} in ${named()} cannot be read (${code}).`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of the database is not valid for the host in ${named()} (${cause.message}).`;
  if (UNTRUSTED.test(code))
    return `The certificate of the database in ${named()} is not trusted (${cause.message}). Name the file of its CA by sslrootcert.`;
  if (syscall === 'getaddrinfo') return `The host ${hostname} in ${named()} cannot be resolved (${code}).`;
  if (error instanceof QueryFailedError && code === PERMISSION_DENIED)
    return `The role in ${named()} lacks a privilege: ${cause.message}. Migrations need CREATE on the schema.`;
  if (!isDatabaseUnavailable(error)) return undefined;
  return cause instanceof pg.DatabaseError
    ? `The database that ${named()} names refuses: ${cause.message}.`
    : `The database that ${named()} names cannot be reached.`;
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

/** The files that a connection string can name. */
const filesOf = (url: string) => {
  const { searchParams } = new URL(url);
  return ['sslrootcert', 'sslcert', 'sslkey'].map((name) => searchParams.get(name));
};
