import { ValidationError } from '../../web/http/validation.js';
import { EmailInput } from '../users/users.schemas.js';
import { UsersService } from '../users/users.service.js';
import { UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { readHiddenLine } from '../../platform/commands/standard-input.js';

/** Creates an administrator. The password is not an argument: every process on the machine can read arguments. */
export const createAdmin = (readPassword: () => Promise<string>): Command => ({
  options: { email: { example: 'ada@example.com', meaning: 'email address of the new administrator' } },
  async run({ application }, given) {
    const email = EmailInput.safeParse(given['email']);
    if (!email.success) throw new UsageError(`--email: ${email.error.issues[0]!.message}`);
    const app = await application();
    try {
      const user = await app.get(UsersService).insertAdministrator(email.data, await readPassword());
      if (!user) throw new UsageError('--email: a user with this address already exists');
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      throw new UsageError(`The password ${error.errors[0]!.detail}.`);
    }
    console.log(`${email.data} is now an administrator.`);
  },
});

export const command = createAdmin(() => readHiddenLine('Password'));
