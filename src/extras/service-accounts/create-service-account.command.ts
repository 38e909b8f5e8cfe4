import { UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { ValidationError } from '../../web/http/validation.js';
import { CreateServiceAccount } from './service-accounts.schemas.js';
import { ServiceAccountsService } from './service-accounts.service.js';

/** Creates a service account. Standard output contains only its id, for `api-keys:create -- --service-account`. */
export const command: Command = {
  options: {
    name: { example: '"Billing"', meaning: 'the name of the service' },
    audience: {
      example: 'https://api.example.com',
      meaning: 'one of AUDIENCES; default: the first one',
      optional: true,
    },
  },
  async run({ application }, given) {
    const app = await application();
    const { success, data, error } = CreateServiceAccount.safeParse(given);
    if (!success)
      throw new UsageError(
        error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`).join('\n'),
      );
    try {
      const { id } = await app.get(ServiceAccountsService).create(data);
      process.stdout.write(`${id}\n`);
    } catch (refusal) {
      if (!(refusal instanceof ValidationError)) throw refusal;
      throw new UsageError(
        refusal.errors.map(({ pointer, detail }) => `--${pointer.slice(1)}: ${detail}`).join('\n'),
      );
    }
  },
};
