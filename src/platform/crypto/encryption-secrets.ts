import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config/config.js';
import { list } from '../config/formats.js';
import { defineSettings, type SettingsOf } from '../config/settings.js';
import { randomSecret } from './secret.js';

const MIN_LENGTH = 32;
const MIN_DIFFERENT_CHARACTERS = 8;
const FILE = 'key-encryption-secret';

/** The fault of a secret that is too short, or a placeholder such as `xxxx…`. Undefined if it is valid. */
function whyNoSecret(text: string): string | undefined {
  if (text.length < MIN_LENGTH) return `must have at least ${MIN_LENGTH} characters`;
  return new Set(text).size < MIN_DIFFERENT_CHARACTERS
    ? `must have at least ${MIN_DIFFERENT_CHARACTERS} different characters`
    : undefined;
}

const secret = z.string().superRefine((text, context) => {
  const message = whyNoSecret(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** Creates the secret once. If two processes start together, both use the file that was written first. */
async function ownSecret(directory: string): Promise<string> {
  const file = join(directory, FILE);
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(file, randomSecret(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await chmod(file, 0o600);
  }
  const own = (await readFile(file, 'utf8')).trim();
  const fault = whyNoSecret(own);
  if (fault) throw new ConfigError([`ENCRYPTION_SECRETS: the file ${FILE} in DATA_DIRECTORY: ${fault}`]);
  return own;
}

// Only rooms that seal something import this file. Without them, the variable is neither read nor required.
const settings = defineSettings(
  { ENCRYPTION_SECRETS: list.pipe(z.array(secret)) },
  {
    requiredInProduction: ['ENCRYPTION_SECRETS'],
    madeInDevelopment: { ENCRYPTION_SECRETS: async (directory) => [await ownSecret(directory)] },
  },
);

declare module '../config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}
