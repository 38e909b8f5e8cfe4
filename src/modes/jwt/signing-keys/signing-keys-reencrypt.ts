import { DataSource } from 'typeorm';
import { inApplication } from '../../../commands/in-application.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { RevocationsService } from '../../../platform/revocations/revocations.service.js';
import { reencryptKeys } from './signing-keys.reencryption.js';

await inApplication({
  script: 'signing-keys:reencrypt',
  purpose: 'Encrypts all signing keys under the first of ENCRYPTION_SECRETS. The others can be removed then.',
  async run(app) {
    const { ENCRYPTION_SECRETS } = app.get<Config>(CONFIG);
    const count = await reencryptKeys(app.get(DataSource), app.get(RevocationsService), ENCRYPTION_SECRETS);
    console.log(`${count} signing keys are encrypted under the first of ENCRYPTION_SECRETS now.`);
  },
});
