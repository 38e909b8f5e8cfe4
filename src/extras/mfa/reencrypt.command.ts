import type { Command } from '../../platform/commands/commands.js';
import { TotpService } from './totp.service.js';

export const command: Command = {
  async run({ application }) {
    const count = await (await application()).get(TotpService).reencrypt();
    console.log(`${count} secrets of authenticator apps are encrypted with the first of ENCRYPTION_SECRETS.`);
  },
};
