import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SignInsModule } from '../../../accounts/sign-ins/sign-ins.module.js';
import { JwksController } from './jwks.controller.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeysHousekeeping } from './signing-keys.housekeeping.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';
import { HousekeepingModule } from '../../../platform/housekeeping/housekeeping.module.js';
import { RevocationsModule } from '../../../platform/revocations/revocations.module.js';
import { SigningKeys1795300000026 } from '../../../../migrations/1795300000026-signing-keys.js';
import { defineMigrations } from '../../../platform/database/migrations.js';
import { defineCommand } from '../../../platform/commands/commands.js';

defineCommand('signing-keys:rotate', {
  about: 'Makes the next signing key the active one, on all nodes.',
  load: () => import('./rotate.command.js'),
});
defineCommand('signing-keys:reencrypt', {
  about: 'Encrypts all signing keys under the first of ENCRYPTION_SECRETS. The others can be removed then.',
  load: () => import('./reencrypt.command.js'),
});

declare module '../../../platform/revocations/revocation.entity.js' {
  interface RevocationKinds {
    'signing-key': true;
  }
}

defineMigrations(SigningKeys1795300000026);

@Module({
  imports: [TypeOrmModule.forFeature([SigningKey]), SignInsModule, HousekeepingModule, RevocationsModule],
  controllers: [JwksController],
  providers: [SigningKeysHousekeeping, SigningKeysService, SigningKeyRotation],
  exports: [SigningKeysService, SigningKeyRotation],
})
export class SigningKeysModule {}
