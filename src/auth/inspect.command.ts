import { type Arguments, UsageError } from '../platform/commands/arguments.js';
import type { Command, CommandContext } from '../platform/commands/commands.js';
import { readHiddenLine, readInput } from '../platform/commands/standard-input.js';
import { credentialKinds } from './credential-kinds.js';
import { explain } from './explained-credentials.js';
import { readPasted } from './pasted-credentials.js';

const INPUT_LIMIT = 65_536;

/** Explains credentials without a look-up. It sends and stores nothing, and its output repeats no secret. */
export const inspectCommand = (readText: () => Promise<string | undefined>): Command => ({
  offline: true,
  input: { example: 'credential.txt', meaning: 'credentials or headers, one in each line' },
  /** A getter, because the rooms that define kinds are loaded later. */
  get options() {
    return Object.fromEntries(
      credentialKinds().flatMap(({ options = {} }) =>
        Object.entries(options).map(([name, argument]) => [name, { ...argument, optional: true }]),
      ),
    );
  },
  async run(context, given) {
    refuseCredentials(given);
    console.log(await inspect(context, given, await readText()));
  },
});

function refuseCredentials(given: Arguments): void {
  const kinds = credentialKinds();
  for (const [name, value] of Object.entries(given))
    if (kinds.some((kind) => kind.recognises(value!)))
      throw new UsageError(
        `--${name}: must not be a credential. A credential must be on standard input, because every process of this machine can read arguments.`,
      );
}

async function inspect(
  { config }: CommandContext,
  given: Arguments,
  text: string | undefined,
): Promise<string> {
  if (text === undefined) throw new UsageError(`Standard input must have at most ${INPUT_LIMIT} bytes.`);
  const { pasted, otherHeaders } = readPasted(text, credentialKinds());
  if (pasted.length === 0)
    throw new UsageError(
      otherHeaders.length > 0
        ? 'Standard input has headers, but none that carries a credential of this server.'
        : 'Standard input must contain a credential or a header.',
    );
  const inspection = { config, now: new Date(), given, pasted };
  const parts = await Promise.all(pasted.map((one) => explain(one, inspection)));
  return parts.join('\n\n');
}

/** A terminal hides the credential. */
const readText = async () =>
  process.stdin.isTTY
    ? readHiddenLine('Credential or header (hidden)')
    : (await readInput(INPUT_LIMIT))?.toString('utf8');

export const command = inspectCommand(readText);
