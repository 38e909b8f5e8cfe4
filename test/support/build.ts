import { join } from 'node:path';

/** Where a file of the project is compiled in this run, such as `src/main.js`. The global setup compiles it. */
export const built = (file: string): string => join(process.env['TEST_BUILD']!, file);
