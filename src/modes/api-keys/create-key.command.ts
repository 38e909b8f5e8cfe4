import { DataSource } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { type Arguments, UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { parseDuration } from '../../platform/config/duration.js';
import { ValidationError } from '../../web/http/validation.js';
import { ProblemError } from '../../platform/problems/problem.js';
import { User } from '../../accounts/users/user.entity.js';
import { CreateApiKey } from './api-keys.schemas.js';
import { ApiKeysService } from './api-keys.service.js';

/** Issues a key. Standard output has the key alone, so that it can be piped into a secret store. */
export const command: Command = {
  options: {
    email: { example: 'ada@example.com', meaning: 'the owner, an active user' },
    name: { example: '"My script"', meaning: 'how lists show the key' },
    scopes: { example: 'orders:read,orders:write', meaning: 'what the key allows, separated by commas' },
    expires: { example: '90d', meaning: 'its lifetime; without it the key never expires', optional: true },
  },
  async run({ application }, given) {
    const app = await application();
    const fields = readFields(given, app.get(Clock));
    const email = given['email']!.toLowerCase();
    const user = await app.get(DataSource).manager.findOneBy(User, { email, status: 'active' });
    if (!user) throw new UsageError('--email: must be the address of an active user');
    try {
      const { row, key } = await app.get(ApiKeysService).issue(user.id, fields);
      process.stderr.write(`Key ${row.id} of ${user.email}. It is shown once:\n`);
      process.stdout.write(`${key.reveal()}\n`);
    } catch (error) {
      throw error instanceof ProblemError ? new UsageError(explain(error)) : error;
    }
  },
};

function explain(error: ProblemError): string {
  // Name and scopes are valid by now: only the date is left.
  return error instanceof ValidationError
    ? error.errors.map(({ detail }) => `--expires: ${detail}`).join('\n')
    : error.detail;
}

function readFields({ name, scopes, expires }: Arguments, clock: Clock): CreateApiKey {
  const { success, data, error } = CreateApiKey.safeParse({ name, scopes: scopes!.split(',') });
  if (!success)
    throw new UsageError(
      error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`).join('\n'),
    );
  if (expires === undefined) return data;
  const lifetime = parseDuration(expires);
  if (lifetime === undefined) throw new UsageError('--expires: must be a duration such as 90d');
  return { ...data, expiresAt: clock.in(lifetime) };
}
