import { DataSource } from 'typeorm';
import type { Command } from '../../../platform/commands/commands.js';
import { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { reencryptKeys } from './signing-keys.reencryption.js';

export const command: Command = {
  async run({ application, config: { ENCRYPTION_SECRETS } }) {
    const app = await application();
    const count = await reencryptKeys(app.get(DataSource), app.get(RevocationsService), ENCRYPTION_SECRETS);
    console.log(`${count} signing keys are encrypted under the first of ENCRYPTION_SECRETS now.`);
  },
};
