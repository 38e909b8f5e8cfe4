import type { INestApplicationContext } from '@nestjs/common';
import { createApp } from '../app.js';
import { openEnvironment } from '../start/environment.js';
import { fail } from '../start/fail.js';

/** Returns the exit code. */
export type Command = (app: INestApplicationContext, argv: string[]) => Promise<number>;

/**
 * Runs a command with the services of the application, which does not listen. It joins the embedded database of a server
 * that runs, or starts it for as long as the command takes. The log is silent: standard output is the command's.
 */
export async function inApplication(run: Command): Promise<void> {
  try {
    const environment = await openEnvironment({ ...process.env, LOG_LEVEL: 'silent' });
    try {
      // With its router, which knows the paths, but without a port.
      const app = await createApp(environment.config);
      await app.init();
      try {
        process.exitCode = await run(app, process.argv.slice(2));
      } finally {
        await app.close();
      }
    } finally {
      await environment.close();
    }
  } catch (error) {
    fail(error);
  }
  process.exit();
}
