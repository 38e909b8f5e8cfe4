import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Identities1795400000002 } from '../../migrations/1795400000002-identities.js';
import { UsersModule } from '../accounts/users/users.module.js';
import { urlWith } from '../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';
import { defineMigrations } from '../platform/database/migrations.js';
import { Identity } from './identity.entity.js';
import { IdentityVerifier } from './identity.verifier.js';
import { IdpMode } from './idp.mode.js';

defineMigrations(Identities1795400000002);

const settings = defineSettings(
  {
    IDP_ISSUER: (production) =>
      urlWith('https', ...(production ? [] : ['http'])).default('https://login.example.com/'),
  },
  { requiredInProduction: ['IDP_ISSUER'] },
);

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

@Module({
  imports: [TypeOrmModule.forFeature([Identity]), UsersModule],
  providers: [IdentityVerifier, IdpMode],
})
export class IdentityProviderModule {}
