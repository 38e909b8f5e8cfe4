import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { ValidationError } from '../http/validation.js';
import { EmailInput } from '../users/users.schemas.js';
import { UsersService } from '../users/users.service.js';
import { inApplication } from './in-application.js';

/** From standard input, or from a prompt that shows nothing. Never from an argument, which every process could read. */
async function readPassword(): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write('Password: ');
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: stdin, output: muted, terminal: stdin.isTTY });
  const line = await new Promise<string>((resolve) => {
    prompt.once('line', resolve);
    prompt.once('close', () => resolve(''));
  });
  prompt.close();
  if (stdin.isTTY) stderr.write('\n');
  return line;
}

function refuse(message: string): number {
  console.error(message);
  return 1;
}

await inApplication(async (app, argv) => {
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
});
