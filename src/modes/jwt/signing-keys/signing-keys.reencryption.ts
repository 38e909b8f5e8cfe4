import type { DataSource } from 'typeorm';
import type { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { SigningKey } from './signing-key.entity.js';
import { reseal } from './signing-key.pair.js';
import { KEYS_CHANGED, lockKeys } from './signing-keys.table.js';

/**
 * Seals all private keys under the first of `secrets`, so that the others can be dropped. All or none.
 * @throws ConfigError if there is a key that no secret opens
 */
export function reencryptKeys(
  dataSource: DataSource,
  revocations: RevocationsService,
  secrets: readonly string[],
): Promise<number> {
  return dataSource.transaction(async (manager) => {
    await lockKeys(manager);
    const keys = await manager.find(SigningKey);
    for (const key of keys)
      await manager.update(SigningKey, { kid: key.kid }, { privateJwkSealed: reseal(key, secrets) });
    // A node that could not open what it has in memory may be able to now.
    await revocations.announce(manager, [KEYS_CHANGED]);
    return keys.length;
  });
}
