import type { INestApplicationContext } from '@nestjs/common';
import { createApp } from '../app.js';
import { openEnvironment } from './environment.js';
import { fail } from './fail.js';
import { type Arguments, asksForHelp, helpOf, readArguments, type Usage } from './arguments.js';

/** A command that needs the services of the application. It throws a UsageError where it refuses. */
export interface Command extends Usage {
  run(app: INestApplicationContext, given: Arguments): Promise<void>;
}

/**
 * Runs a command with the services of the application, which does not listen. It joins the embedded database of a running
 * server, or starts it for as long as the command takes. The log is silent: standard output belongs to the command.
 */
export async function inApplication(command: Command): Promise<void> {
  try {
    const argv = process.argv.slice(2);
    if (asksForHelp(argv)) console.log(helpOf(command));
    else await runCommand(command, readArguments(command, argv));
  } catch (error) {
    fail(error);
  }
  process.exit();
}

async function runCommand(command: Command, given: Arguments): Promise<void> {
  const environment = await openEnvironment({ ...process.env, LOG_LEVEL: 'silent' });
  try {
    // With its router, which knows the paths, but without a port.
    const app = await createApp(environment.config);
    await app.init();
    try {
      await command.run(app, given);
    } finally {
      await app.close();
    }
  } finally {
    await environment.close();
  }
}
