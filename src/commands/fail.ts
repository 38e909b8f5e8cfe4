import { StartError } from '../platform/config/start-error.js';
import { explainDatabase } from './database-failure.js';

/** Prints on standard error why a start failed, and sets the exit code. */
export function fail(error: unknown): void {
  process.exitCode = error instanceof StartError ? error.exitCode : 1;
  console.error(explain(error) ?? (error instanceof Error ? (error.stack ?? error.message) : error));
}

function explain(error: unknown): string | undefined {
  if (error instanceof StartError) return error.message;
  return explainDatabase(error);
}
