import { Module } from '@nestjs/common';
import { SigningKeysModule } from './signing-keys.module.js';
import { SigningKeysController } from './admin-signing-keys.controller.js';

/** Goes with the mode `jwt`, whose keys they are. */
@Module({ imports: [SigningKeysModule], controllers: [SigningKeysController] })
export class SigningKeysAdminModule {}
