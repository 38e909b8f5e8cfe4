import { Module } from '@nestjs/common';
import { SigningKeysModule } from './signing-keys.module.js';
import { SigningKeysController } from './admin-signing-keys.controller.js';
import { defineScopes } from '../../../auth/scopes.js';

declare module '../../../auth/scopes.js' {
  interface Scopes {
    'admin:signing-keys': true;
  }
}

defineScopes({
  'admin:signing-keys': { about: 'Rotate and revoke the keys that sign tokens', role: 'admin' },
});

/** Goes with the mode `jwt`, whose keys they are. */
@Module({ imports: [SigningKeysModule], controllers: [SigningKeysController] })
export class SigningKeysAdminModule {}
