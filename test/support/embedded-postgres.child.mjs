// A process that starts the embedded PostgreSQL of a directory, says so, and stops it when its standard input ends;
// with --leave it just runs out of work. It loads the TypeScript sources as they are: the same file is the loader,
// in the thread that Node gives to loaders.
import { transformFile } from '@swc/core';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

export const resolve = (specifier, context, next) =>
  next(context.parentURL?.endsWith('.ts') ? specifier.replace(/^(\..*)\.js$/, '$1.ts') : specifier, context);

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), {
    swcrc: false,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  return { format: 'module', source: code, shortCircuit: true };
}

if (isMainThread) {
  register(import.meta.url);
  const { startEmbeddedPostgres } = await import('../../src/database/embedded-postgres.ts');
  const [directory, leave] = process.argv.slice(2);
  const server = await startEmbeddedPostgres({ directory, durable: false });
  process.stdout.write(`${JSON.stringify({ url: server.url, owner: server.owner })}\n`);
  if (leave !== '--leave') process.stdin.resume().once('end', () => void server.stop());
}
