import { DataSource } from 'typeorm';
import type { Command } from '../../../platform/commands/commands.js';
import { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { SigningKey } from './signing-key.entity.js';
import { reseal } from './signing-key.pair.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { KEYS_CHANGED, lockKeys } from './signing-keys.table.js';

export const rotateKeys: Command = {
  async run({ application }) {
    const app = await application();
    const kid = await app.get(SigningKeyRotation).rotate();
    console.log(`The signing key ${kid} is now active.`);
  },
};

export const reencrypt: Command = {
  async run({ application, config: { ENCRYPTION_SECRETS } }) {
    const app = await application();
    const count = await reencryptKeys(app.get(DataSource), app.get(RevocationsService), ENCRYPTION_SECRETS);
    console.log(`${count} signing keys are now encrypted under the first of ENCRYPTION_SECRETS.`);
  },
};

/**
 * Seals all private keys under the first of `secrets`, in one transaction. Then the other secrets can be removed.
 * @throws ConfigError if no secret decrypts one of the keys
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
    // A node that could not decrypt a key in memory can now try again.
    await revocations.announce(manager, [KEYS_CHANGED]);
    return keys.length;
  });
}
