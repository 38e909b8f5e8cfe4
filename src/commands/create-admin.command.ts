import { parseArgs } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { ValidationError } from '../http/validation.js';
import { EmailInput } from '../users/users.schemas.js';
import { UsersService } from '../users/users.service.js';

/** Makes an administrator from the command line. Answers with the exit code. */
export async function run(
  app: INestApplicationContext,
  argv: string[],
  readPassword: () => Promise<string>,
): Promise<number> {
  // Positionals are let in to be refused here: parseArgs would repeat in its message what is perhaps a password.
  const { values, positionals } = parseArgs({
    args: argv,
    options: { email: { type: 'string' } },
    allowPositionals: true,
  });
  const email = EmailInput.safeParse(values.email ?? '');
  if (!email.success || positionals.length > 0)
    return refuse('Usage: npm run admin:create -- --email ada@example.com');
  try {
    const user = await app.get(UsersService).insertAdministrator(email.data, await readPassword());
    if (!user) return refuse('There is a user with this address already.');
    console.log(`${email.data} is an administrator now.`);
    return 0;
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return refuse(`The password ${error.errors[0]!.detail}.`);
  }
}

function refuse(message: string): number {
  console.error(message);
  return 1;
}
