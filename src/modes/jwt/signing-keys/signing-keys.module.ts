import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SignInsModule } from '../../../accounts/sign-ins/sign-ins.module.js';
import { JwksController } from './jwks.controller.js';
import { SigningKey } from './signing-key.entity.js';
import { SigningKeysHousekeeping } from './signing-keys.housekeeping.js';
import { SigningKeyRotation } from './signing-keys.rotation.js';
import { SigningKeysService } from './signing-keys.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([SigningKey]), SignInsModule],
  controllers: [JwksController],
  providers: [SigningKeysHousekeeping, SigningKeysService, SigningKeyRotation],
  exports: [SigningKeysService, SigningKeyRotation],
})
export class SigningKeysModule {}
