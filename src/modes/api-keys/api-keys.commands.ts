import { DataSource, IsNull } from 'typeorm';
import { z } from 'zod';
import { Clock } from '../../platform/clock/clock.js';
import { type Arguments, UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { parseDuration } from '../../platform/config/duration.js';
import { ValidationError } from '../../web/http/validation.js';
import { ProblemError } from '../../platform/problems/problem.js';
import { ApiKey } from './api-key.entity.js';
import { type KeyHolder, keyOwners, ownerFacts } from './api-key.owners.js';
import { CreateApiKey } from './api-keys.schemas.js';
import { ApiKeysService } from './api-keys.service.js';

/** Issues a key. Standard output contains only the key, so that it can be piped into a secret store. */
export const createKey: Command = {
  /** A getter, because rooms that define kinds of owners can be loaded later. */
  get options() {
    const owners = keyOwners().map(({ option: { name, example, meaning } }) => [
      name,
      { example, meaning: `the owner: ${meaning}`, optional: true },
    ]);
    return {
      ...Object.fromEntries(owners),
      name: { example: '"My script"', meaning: 'the name of the key in lists' },
      scopes: { example: 'orders:read,orders:write', meaning: 'the scopes of the key, separated by commas' },
      expires: {
        example: '90d',
        meaning: 'the lifetime of the key; without it, the key never expires',
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
      process.stderr.write(`The key ${row.id} is shown only once:\n`);
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
  // Name and scopes were already checked, so only the expiry can be invalid.
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

/** Revokes a key of any owner. */
export const revokeKey: Command = {
  options: { id: { example: '01890000-0000-7000-8000-000000000000', meaning: 'the id of the key' } },
  async run({ application }, { id }) {
    const app = await application();
    const key = z.uuid().safeParse(id).success
      ? await app.get(DataSource).manager.findOne(ApiKey, {
          where: { id: id!, revokedAt: IsNull() },
          relations: { owner: true },
        })
      : null;
    if (!key) throw new UsageError('--id: must be the id of a key that is not revoked');
    const { ownerId, owner } = key;
    const facts = ownerFacts(owner.kind, ownerId);
    await app.get(ApiKeysService).revoke({ ownerId, facts, hold: () => Promise.resolve() }, key.id);
    console.log(`The key ${key.id} is revoked.`);
  },
};
