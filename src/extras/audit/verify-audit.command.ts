import { DataSource } from 'typeorm';
import { UsageError } from '../../platform/commands/arguments.js';
import type { Command } from '../../platform/commands/commands.js';
import { type KnownHead, verifyAudit } from './audit-verification.js';

const HEAD = /^(\d{1,15}):([0-9a-f]{64})$/;

/** Fails with the name of the first event that does not fit its seal. */
export const command: Command = {
  options: {
    head: {
      example: 'SEAL:HEAD',
      meaning: 'a seal that the log has named, with its head; finds removed seals at the end of the chain',
      optional: true,
    },
  },
  async run({ application, config }, given) {
    const known = knownHead(given['head']);
    const app = await application();
    const { seals, events } = await app.get(DataSource).transaction('REPEATABLE READ', async (manager) => {
      await manager.query('SET LOCAL statement_timeout = 0');
      return verifyAudit(manager, config.ENCRYPTION_SECRETS, known);
    });
    console.log(`${events} events in ${seals} seals are unchanged.`);
  },
};

function knownHead(text: string | undefined): KnownHead | undefined {
  if (text === undefined) return undefined;
  const [, number, head] = HEAD.exec(text) ?? [];
  if (number === undefined || head === undefined)
    throw new UsageError('--head: must be the number of a seal, a colon and its head in hexadecimal digits');
  return { number: Number(number), head };
}
