import { ValidationError } from '../web/http/validation.js';
import { EmailInput } from '../accounts/users/users.schemas.js';
import { UsersService } from '../accounts/users/users.service.js';
import { UsageError } from './arguments.js';
import type { Command } from './in-application.js';

/** Creates an administrator. The password never is an argument, which every process of the machine could read. */
export const createAdmin = (readPassword: () => Promise<string>): Command => ({
  script: 'admin:create',
  purpose: 'Creates an administrator. Asks for the password, or reads it from standard input.',
  options: { email: { example: 'ada@example.com', meaning: 'the address of the new administrator' } },
  async run(app, given) {
    const email = EmailInput.safeParse(given['email']);
    if (!email.success) throw new UsageError(`--email: ${email.error.issues[0]!.message}`);
    try {
      const user = await app.get(UsersService).insertAdministrator(email.data, await readPassword());
      if (!user) throw new UsageError('--email: a user with this address already exists');
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      throw new UsageError(`The password ${error.errors[0]!.detail}.`);
    }
    console.log(`${email.data} is an administrator now.`);
  },
});
