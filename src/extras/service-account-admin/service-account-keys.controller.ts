import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Principal } from '../../auth/principal.js';
import { ApiKeyNarrowing } from '../../modes/api-keys/api-key.narrowing.js';
import type { KeyHolder } from '../../modes/api-keys/api-key.owners.js';
import { ApiKeyRotation } from '../../modes/api-keys/api-key.rotation.js';
import { ApiKeysService } from '../../modes/api-keys/api-keys.service.js';
import { ApiKeyRoutes } from '../api-key-routes/api-key-routes.js';
import { Administrators } from './administrators.js';

/** The path of the keys of a service account. */
export const SERVICE_ACCOUNT_KEYS_PATH = 'v1/admin/service-accounts/:id/api-keys';

const ADMINISTRATOR = {
  modes: 'person',
  scopes: ['admin:service-accounts'],
  recentSignIn: true,
  secondFactor: 'where-enrolled',
  live: true,
} as const;

const Routes = ApiKeyRoutes({
  key: 'a key of a service account',
  keys: 'the keys of a service account',
  keyId: 'keyId',
  ownerId: 'id',
  read: ADMINISTRATOR,
  change: ADMINISTRATOR,
  issue: ADMINISTRATOR,
});

/** The routes for administrators that people have for their own keys. */
@ApiTags('administration')
@Controller(SERVICE_ACCOUNT_KEYS_PATH)
export class ServiceAccountKeysController extends Routes {
  constructor(
    keys: ApiKeysService,
    narrowing: ApiKeyNarrowing,
    rotation: ApiKeyRotation,
    private readonly administrators: Administrators,
  ) {
    super(keys, narrowing, rotation);
  }

  protected override holderOf(by: Principal, accountId: string): Promise<KeyHolder> {
    return this.administrators.holderOf(by, accountId);
  }
}
