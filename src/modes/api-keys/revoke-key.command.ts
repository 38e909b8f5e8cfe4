import { DataSource, IsNull } from 'typeorm';
import { z } from 'zod';
import { UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { ApiKey } from './api-key.entity.js';
import { ownerFacts } from './api-key.owners.js';
import { ApiKeysService } from './api-keys.service.js';

/** Revokes a key, whoever owns it. */
export const command: Command = {
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
