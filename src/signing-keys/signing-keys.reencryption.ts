import type { DataSource } from 'typeorm';
import { SigningKey } from './signing-key.entity.js';
import { reseal } from './signing-key.pair.js';
import { lockKeys } from './signing-keys.table.js';

/**
 * Seals all private keys under the first of `secrets`, so that the others can be dropped. All or none.
 * @throws ConfigError if there is a key that no secret opens
 */
export function reencryptKeys(dataSource: DataSource, secrets: readonly string[]): Promise<number> {
  return dataSource.transaction(async (manager) => {
    await lockKeys(manager);
    const keys = await manager.find(SigningKey);
    for (const key of keys)
      await manager.update(SigningKey, { kid: key.kid }, { privateJwkSealed: reseal(key, secrets) });
    return keys.length;
  });
}
