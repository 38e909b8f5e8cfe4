import pg from 'pg';
import { ConfigError } from '../config/config.js';
import { RouteDeclarationError } from '../auth/route-table.js';
import { isDatabaseUnavailable } from '../database/unavailable.js';

/** Says on standard error why a start failed, as plainly as it can, and sets the exit code. */
export function fail(error: unknown): void {
  process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
  if (error instanceof ConfigError || error instanceof RouteDeclarationError) console.error(error.message);
  else if (isDatabaseUnavailable(error))
    console.error(
      error instanceof pg.DatabaseError
        ? `The database that ${named()} names refuses: ${error.message}.`
        : `The database that ${named()} names cannot be reached.`,
    );
  else if (isUsageError(error)) console.error(error.message);
  else console.error(error instanceof Error ? (error.stack ?? error.message) : error);
}

const named = () =>
  process.env['DATABASE_LISTEN_URL'] ? 'DATABASE_URL or DATABASE_LISTEN_URL' : 'DATABASE_URL';

/** What node:util's parseArgs throws for arguments that a command does not know. */
const isUsageError = (error: unknown): error is Error =>
  error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
