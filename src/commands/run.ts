// node scripts/run.mjs src/commands/run.js NAME [ARGUMENT…]: runs a command of a room.
import { createApp } from '../app.js';
import {
  type Arguments,
  asksForHelp,
  helpOf,
  readArguments,
  UsageError,
} from '../platform/commands/arguments.js';
import {
  type Command,
  type CommandContext,
  commandNames,
  findCommand,
} from '../platform/commands/commands.js';
import { readConfig } from '../platform/config/config.js';
import { openEnvironment } from './environment.js';
import { fail } from './fail.js';

async function main(name: string | undefined, argv: string[]): Promise<void> {
  const definition = findCommand(name ?? '');
  if (!definition) throw new UsageError(`Unknown command. The commands are: ${commandNames().join(', ')}.`);
  const { command } = await definition.load();
  const usage = { ...command, script: name!, purpose: definition.about };
  if (asksForHelp(argv)) console.log(helpOf(usage));
  else await run(command, readArguments(usage, argv));
}

/**
 * Runs a command. It uses the embedded database of a running server, or starts it meanwhile. The log is silent, because
 * standard output belongs to the command.
 */
async function run(command: Command, given: Arguments): Promise<void> {
  const variables = {
    ...process.env,
    LOG_LEVEL: 'silent',
    // room: metrics
    // The server already listens there.
    METRICS_PORT: '',
    // /room
  };
  if (command.offline) return command.run({ config: readConfig(variables), application: none }, given);
  const environment = await openEnvironment(variables);
  let app: ReturnType<typeof createApp> | undefined;
  const context: CommandContext = {
    config: environment.config,
    // `init` registers the routes, but does not listen.
    application: async () => (await (app ??= createApp(environment.config))).init(),
  };
  try {
    await command.run(context, given);
  } finally {
    await (await app?.catch(() => undefined))?.close();
    await environment.close();
  }
}

const none = () => Promise.reject(new Error('an offline command has no application'));

const [name, ...argv] = process.argv.slice(2);
await main(name, argv).catch(fail);
process.exit();
