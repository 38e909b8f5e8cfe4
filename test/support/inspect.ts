import { jest } from '@jest/globals';
import '../../src/app.js';
import { inspectCommand } from '../../src/auth/inspect.command.js';
import { readArguments } from '../../src/platform/commands/arguments.js';
import { readConfig } from '../../src/platform/config/config.js';

export const ISSUER = 'http://auth.example.com';

/** The output of `npm run inspect` for a text on standard input. */
export async function inspect(
  text: string | undefined,
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const command = inspectCommand(async () => text);
  const config = readConfig({ NODE_ENV: 'test', ISSUER, ...env });
  const print = jest.spyOn(console, 'log').mockReturnValue();
  try {
    const given = readArguments({ ...command, script: 'inspect', purpose: '' }, argv);
    await command.run({ config, application: () => Promise.reject(new Error('offline')) }, given);
    return String(print.mock.calls[0]![0]);
  } finally {
    print.mockRestore();
  }
}
