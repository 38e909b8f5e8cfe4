import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Principal } from '../../auth/principal.js';
import { ApiKeyNarrowing } from '../../modes/api-keys/api-key.narrowing.js';
import type { KeyHolder } from '../../modes/api-keys/api-key.owners.js';
import { ApiKeyRotation } from '../../modes/api-keys/api-key.rotation.js';
import { ApiKeysService } from '../../modes/api-keys/api-keys.service.js';
import { ApiKeyRoutes } from '../api-key-routes/api-key-routes.js';
import { OWN_KEYS_PATH, OwnKeys } from './own-keys.js';

const Routes = ApiKeyRoutes({
  key: 'a key',
  keys: 'my keys',
  keyId: 'id',
  read: { modes: 'person', scopes: ['api-keys:read'] },
  change: { modes: 'person', scopes: ['api-keys:write'], live: true },
  issue: { modes: 'person', scopes: ['api-keys:write'], recentSignIn: true, live: true },
});

@ApiTags('api-keys')
@Controller(OWN_KEYS_PATH)
export class OwnApiKeysController extends Routes {
  constructor(
    keys: ApiKeysService,
    narrowing: ApiKeyNarrowing,
    rotation: ApiKeyRotation,
    private readonly own: OwnKeys,
  ) {
    super(keys, narrowing, rotation);
  }

  protected override holderOf(by: Principal): KeyHolder {
    return this.own.of(by);
  }
}
