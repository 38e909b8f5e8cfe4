import { DataSource } from 'typeorm';
import { Clock } from '../../platform/clock/clock.js';
import { type Arguments, UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { parseDuration } from '../../platform/config/duration.js';
import { ValidationError } from '../../web/http/validation.js';
import { ProblemError } from '../../platform/problems/problem.js';
import { type KeyHolder, keyOwners } from './api-key.owners.js';
import { CreateApiKey } from './api-keys.schemas.js';
import { ApiKeysService } from './api-keys.service.js';

/** Issues a key. Standard output has the key alone, so that it can be piped into a secret store. */
export const command: Command = {
  /** Read when every room is there: each kind of owner has its own. */
  get options() {
    const owners = keyOwners().map(({ option: { name, example, meaning } }) => [
      name,
      { example, meaning: `the owner: ${meaning}`, optional: true },
    ]);
    return {
      ...Object.fromEntries(owners),
      name: { example: '"My script"', meaning: 'how lists show the key' },
      scopes: { example: 'orders:read,orders:write', meaning: 'what the key allows, separated by commas' },
      expires: {
        example: '90d',
        meaning: 'its lifetime; without it the key never expires',
        optional: true,
      },
    };
  },
  async run({ application }, given) {
    const app = await application();
    const fields = readFields(given, app.get(Clock));
    const holder = await findHolder(app.get(DataSource), given);
    try {
      const { row, key } = await app.get(ApiKeysService).create(holder, fields);
      process.stderr.write(`Key ${row.id}. It is shown once:\n`);
      process.stdout.write(`${key.reveal()}\n`);
    } catch (error) {
      throw error instanceof ProblemError ? new UsageError(explain(error)) : error;
    }
  },
};

async function findHolder({ manager }: DataSource, given: Arguments): Promise<KeyHolder> {
  const owners = keyOwners();
  const [owner, ...others] = owners.filter(({ option }) => given[option.name] !== undefined);
  if (!owner || others.length > 0)
    throw new UsageError(
      `${owners.map(({ option }) => `--${option.name}`).join(', ')}: exactly one is required`,
    );
  const { name, meaning } = owner.option;
  const holder = await owner.find(manager, given[name]!);
  if (!holder) throw new UsageError(`--${name}: must be ${meaning}`);
  return holder;
}

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
