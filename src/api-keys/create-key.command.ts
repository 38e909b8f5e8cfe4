import { parseArgs } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../clock/clock.js';
import { parseDuration } from '../config/duration.js';
import { ValidationError } from '../http/validation.js';
import { ProblemError } from '../problems/problem.js';
import { User } from '../users/user.entity.js';
import { CreateApiKey } from './api-keys.schemas.js';
import { ApiKeysService } from './api-keys.service.js';

const USAGE =
  'npm run keys:create -- --email person@example.com --name "My key" --scopes orders:read,orders:write [--expires 90d]';

class UsageError extends Error {}

/**
 * Issues a key from the command line. The key alone goes to standard output, so that it can be piped into a secret store.
 * Answers with the exit code.
 */
export async function run(app: INestApplicationContext, argv: string[]): Promise<number> {
  try {
    const { email, fields } = readArguments(argv, app.get(Clock));
    const user = await app
      .get(DataSource)
      .manager.findOneBy(User, { email: email.toLowerCase(), status: 'active' });
    if (!user) throw new UsageError(`There is no active user ${email}.`);
    const { row, key } = await app.get(ApiKeysService).issue(user.id, fields);
    process.stderr.write(`Key ${row.id} of ${user.email}. It is shown once:\n`);
    process.stdout.write(`${key.reveal()}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ProblemError)) throw error;
    process.stderr.write(`${explain(error)}\n`);
    return 1;
  }
}

function explain(error: UsageError | ProblemError): string {
  // Name and scopes are checked by now: what is left is the date.
  if (error instanceof ValidationError)
    return error.errors.map(({ detail }) => `--expires: ${detail}`).join('\n');
  return error instanceof ProblemError ? error.detail : error.message;
}

function readArguments(argv: string[], clock: Clock): { email: string; fields: CreateApiKey } {
  const { email, name, scopes, expires } = parse(argv);
  if (email === undefined) throw new UsageError(`--email is missing.\n${USAGE}`);
  const { success, data, error } = CreateApiKey.safeParse({ name, scopes: scopes?.split(',') });
  if (!success)
    throw new UsageError(
      error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`).join('\n'),
    );
  if (expires === undefined) return { email, fields: data };
  const lifetime = parseDuration(expires);
  if (lifetime === undefined) throw new UsageError('--expires: is no duration such as 90d');
  return { email, fields: { ...data, expiresAt: clock.in(lifetime) } };
}

function parse(argv: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args: argv, options: { email: text, name: text, scopes: text, expires: text } })
      .values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : 'The arguments are wrong.'}\n${USAGE}`);
  }
}
