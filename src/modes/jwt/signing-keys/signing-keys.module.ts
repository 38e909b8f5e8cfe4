import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SignInsModule } from '../../../accounts/sign-ins/sign-ins.module.js';
import { SigningKeysController } from './admin-signing-keys.controller.js';
import { JwksController } from './jwks.controller.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeysHousekeeping } from './signing-keys.housekeeping.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';
import { HousekeepingModule } from '../../../platform/housekeeping/housekeeping.module.js';
import { RevocationsModule } from '../../../platform/revocations/revocations.module.js';
import { SigningKeys1795300000026 } from '../../../../migrations/1795300000026-signing-keys.js';
import { defineMigrations } from '../../../platform/database/migrations.js';
import { onRestored } from '../../../platform/restored/on-restored.js';
import { defineScopes } from '../../../auth/scopes.js';
import { defineCommand } from '../../../platform/commands/commands.js';

defineCommand('signing-keys:rotate', {
  about: 'Makes the next signing key the active one, on all nodes.',
  load: async () => ({ command: (await import('./signing-keys.commands.js')).rotateKeys }),
});
defineCommand('signing-keys:reencrypt', {
  about:
    'Encrypts all signing keys under the first of ENCRYPTION_SECRETS. Then the other secrets can be removed.',
  load: async () => ({ command: (await import('./signing-keys.commands.js')).reencrypt }),
});

declare module '../../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    'signing-key': true;
  }
}

defineMigrations(SigningKeys1795300000026);

onRestored({
  table: 'signing_keys',
  ends: 'signing keys',
  by: ({ manager, app }) => app.get(SigningKeyRotation).replaceAll(manager),
});

declare module '../../../auth/scopes.js' {
  interface Scopes {
    'admin:signing-keys': true;
  }
}

defineScopes({
  'admin:signing-keys': { about: 'Rotate and revoke the keys that sign tokens', role: 'admin' },
});

@Module({
  imports: [TypeOrmModule.forFeature([SigningKey]), SignInsModule, HousekeepingModule, RevocationsModule],
  controllers: [JwksController, SigningKeysController],
  providers: [SigningKeysHousekeeping, SigningKeysService, SigningKeyRotation],
  exports: [SigningKeysService, SigningKeyRotation],
})
export class SigningKeysModule {}
