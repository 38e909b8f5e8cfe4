// node scripts/run.mjs FILE [ARGUMENT…]: compiles changed sources, then runs dist/FILE in this process.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuildError, compile, DIST } from './compile.mjs';

const [file] = process.argv.splice(2, 1);
try {
  await compile();
} catch (error) {
  console.error(error instanceof BuildError ? error.message : error);
  process.exit(1);
}
if (file) await import(pathToFileURL(join(DIST, file)));
