import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { createAdmin } from './create-admin.command.js';
import { inApplication } from './in-application.js';

/** From standard input, or from a prompt that shows nothing. */
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

await inApplication(createAdmin(readPassword));
