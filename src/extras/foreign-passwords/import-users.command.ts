import { UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { readInput } from '../../platform/commands/standard-input.js';
import { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { decodeUtf8 } from '../../platform/crypto/strict-decoding.js';
import { ImportedUsers } from './imported-users.service.js';
import { readUsers } from './user-rows.js';

const INPUT_LIMIT = 256 * 1024 * 1024;
const SHOWN_FAULTS = 20;

/** Creates users from an export of another application. It writes nothing if one line has a fault. */
export const importUsers = (read: () => Promise<Buffer | undefined>): Command => ({
  input: { example: 'users.csv', meaning: 'CSV with a header, or JSON lines' },
  async run({ application, config }) {
    const bytes = await read();
    if (!bytes) throw new UsageError(`Standard input must have at most ${INPUT_LIMIT} bytes.`);
    const input = decodeUtf8(bytes);
    if (input === undefined) throw new UsageError('Standard input must be UTF-8.');
    const app = await application();
    const hasher = app.get(PasswordHasher);
    const { users, faults } = readUsers(input, (hash) => hasher.faultOf(hash));
    if (faults.length > 0) throw new UsageError(explain(faults, config.FOREIGN_PASSWORDS));
    if (users.length === 0) throw new UsageError('Standard input must contain at least one user.');
    const created = await app.get(ImportedUsers).create(users);
    const skipped = created < users.length ? ' The others already have an account.' : '';
    console.log(`Imported ${created} of ${users.length} users.${skipped}`);
  },
});

function explain(faults: readonly string[], accepted: boolean): string {
  const further = faults.length - SHOWN_FAULTS;
  return [
    ...faults.slice(0, SHOWN_FAULTS),
    ...(further > 0 ? [`and ${further} more`] : []),
    'Nothing was imported.',
    ...(accepted ? [] : ['Set FOREIGN_PASSWORDS=on to import bcrypt and scrypt hashes.']),
  ].join('\n');
}

export const command = importUsers(() => readInput(INPUT_LIMIT));
