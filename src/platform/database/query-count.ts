import type { Logger } from 'typeorm';
import { requestContext } from '../logging/request-context.js';

/**
 * Counts the statements of each request, for `Server-Timing`. TypeORM tells its logger of every statement. A lookup that
 * several requests share counts for the first of them.
 */
export class QueryCount implements Logger {
  logQuery(): void {
    const context = requestContext();
    if (context) context.queries = (context.queries ?? 0) + 1;
  }

  // TypeORM throws the errors too, and their callers log them.
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
