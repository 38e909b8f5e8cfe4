import { Module, type OnModuleInit } from '@nestjs/common';
import { SignInsModule } from '../../accounts/sign-ins/sign-ins.module.js';
import { AccountTakeover } from '../../accounts/users/account-takeover.js';
import { UsersModule } from '../../accounts/users/users.module.js';
import { ApiKeysModule } from '../../modes/api-keys/api-keys.module.js';
import { ApiKeysService } from '../../modes/api-keys/api-keys.service.js';
import { describeKey } from '../../modes/api-keys/describe-key.js';
import { OwnApiKeysController } from './own-api-keys.controller.js';
import { OwnKeys } from './own-keys.js';

@Module({
  imports: [ApiKeysModule, SignInsModule, UsersModule],
  controllers: [OwnApiKeysController],
  providers: [OwnKeys],
})
export class OwnApiKeysModule implements OnModuleInit {
  constructor(
    private readonly takeover: AccountTakeover,
    private readonly keys: ApiKeysService,
  ) {}

  onModuleInit(): void {
    this.takeover.register(
      (manager, userId) => this.keys.revokeAll(manager, { ownerId: userId, facts: { userId } }),
      async (manager, userId) => (await this.keys.working(manager, userId)).map(describeKey),
    );
  }
}
