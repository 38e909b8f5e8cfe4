import { DataSource } from 'typeorm';
import { inApplication } from '../commands/in-application.js';
import { CONFIG, type Config } from '../config/config.js';
import { RevocationsService } from '../revocations/revocations.service.js';
import { reencryptKeys } from './signing-keys.reencryption.js';

await inApplication(async (app) => {
  const { KEY_ENCRYPTION_SECRETS } = app.get<Config>(CONFIG);
  const count = await reencryptKeys(app.get(DataSource), app.get(RevocationsService), KEY_ENCRYPTION_SECRETS);
  console.log(`${count} signing keys are sealed under the first of KEY_ENCRYPTION_SECRETS now.`);
  return 0;
});
