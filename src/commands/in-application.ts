import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { openEnvironment } from '../start/environment.js';
import { fail } from '../start/fail.js';

/** Returns the exit code. */
export type Command = (app: INestApplicationContext, argv: string[]) => Promise<number>;

/**
 * Runs a command with the services of the application but without HTTP. It joins the embedded database of a server
 * that runs, or starts it for as long as the command takes. The log is silent: standard output is the command's.
 */
export async function inApplication(run: Command): Promise<void> {
  try {
    const environment = await openEnvironment({ ...process.env, LOG_LEVEL: 'silent' });
    try {
      const app = await NestFactory.createApplicationContext(AppModule.with(environment.config), {
        // What goes wrong is thrown, and said once and plainly by fail().
        logger: false,
        abortOnError: false,
      });
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
