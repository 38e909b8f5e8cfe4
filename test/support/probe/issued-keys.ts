import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { keyOwners } from '../../../src/modes/api-keys/api-key.owners.js';
import { CreateApiKey } from '../../../src/modes/api-keys/api-keys.schemas.js';
import { ApiKeysService } from '../../../src/modes/api-keys/api-keys.service.js';

/** Issues keys as the command `api-keys:create` does: whoever the owner is, and without a sign-in. */
@Injectable()
export class IssuedKeys {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: ApiKeysService,
  ) {}

  /**
   * @param named the email address of a user, or the id of a service account
   * @param body of POST /v1/api-keys
   */
  async issue(named: string, body: string): Promise<{ id: string; key: string }> {
    for (const owner of keyOwners()) {
      const holder = await owner.find(this.dataSource.manager, named);
      if (!holder) continue;
      const { row, key } = await this.keys.create(holder, CreateApiKey.parse(JSON.parse(body)));
      return { id: row.id, key: key.reveal() };
    }
    throw new Error(`nobody called ${named} can own a key`);
  }
}
