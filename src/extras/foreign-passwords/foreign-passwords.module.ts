import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { UsersModule } from '../../accounts/users/users.module.js';
import { defineCommand } from '../../platform/commands/commands.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { onOff } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { bcrypt } from './bcrypt.js';
import { ImportedUsers } from './imported-users.service.js';
import { phcScrypt } from './phc-scrypt.js';

/** About three times the time of the highest accepted cost, 0.5 s on a server of 2024. */
const REFUSAL_MS = 1500;

defineCommand('users:import', {
  about: 'Creates users with the password hashes of another application, all of them or none.',
  load: () => import('./import-users.command.js'),
});

const settings = defineSettings({ FOREIGN_PASSWORDS: onOff.default(false) });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

@Module({ imports: [CryptoModule, UsersModule], providers: [ImportedUsers] })
export class ForeignPasswordsModule implements OnModuleInit {
  constructor(
    private readonly hasher: PasswordHasher,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (this.config.FOREIGN_PASSWORDS) this.hasher.foreign.accept([bcrypt, phcScrypt], REFUSAL_MS);
  }
}
