// Compiles the folders below into dist/, and copies stylesheets. Changed files are replaced by a rename: a
// running server or a parallel build never sees an incomplete file.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

const ROOT = dirname(import.meta.dirname);
export const DIST = join(ROOT, 'dist');
export const FOLDERS = [
  'src',
  'migrations',
  'tools',
  // room: playground, tokens
  // The playground runs these clients in the browser.
  'examples/clients/typescript',
  // /room
].map((folder) => join(ROOT, folder));
const COMPILER_OPTIONS = join(ROOT, '.swcrc');
/** Contains the digest of the sources. It is written last, so that an interrupted build is repeated. */
const STAMP = '.sources';
const SILENCE_MS = 500;

/** An expected failure. Its message is printed without a stack. */
export class BuildError extends Error {}

/**
 * Updates the build if the sources have changed. Without the compiler or the sources, as in production, it keeps the build.
 * Returns whether the build is new.
 * @throws BuildError
 */
export async function compile(target = DIST, roots = FOLDERS) {
  if (!existsSync(FOLDERS[0])) {
    requireBuild(target);
    return false;
  }
  const sources = await readSources(roots);
  const digest = digestOf(sources);
  if ((await textOf(join(target, STAMP))) === digest) return false;
  const swc = await import('@swc/core').catch(() => undefined);
  if (!swc) {
    requireBuild(target);
    console.error(
      'The sources are newer than the build, but the compiler is not installed. The old build runs.',
    );
    return false;
  }
  const notice = setTimeout(() => console.error('Compiling the sources…'), SILENCE_MS);
  try {
    await build(swc, sources, target);
    await replace(join(target, STAMP), digest);
    return true;
  } catch (error) {
    throw explain(error);
  } finally {
    clearTimeout(notice);
  }
}

function requireBuild(target) {
  if (!existsSync(join(target, STAMP)))
    throw new BuildError(
      'There is no build, and the compiler is not installed. Run `npm ci && npm run build`, then `npm ci --omit=dev`.',
    );
}

async function readSources(roots = FOLDERS) {
  const folders = await Promise.all(
    roots
      .filter(existsSync)
      .map(async (folder) => (await readdir(folder, { recursive: true })).map((name) => join(folder, name))),
  );
  const names = folders.flat().filter((name) => /\.(ts|css)$/.test(name));
  return Promise.all(
    [COMPILER_OPTIONS, ...names.toSorted()].map(async (name) => ({
      name,
      text: await readFile(name, 'utf8'),
    })),
  );
}

function digestOf(sources) {
  const hash = createHash('sha256');
  for (const { name, text } of sources) hash.update(JSON.stringify([relative(ROOT, name), text]));
  return hash.digest('hex');
}

async function build(swc, [, ...sources], target) {
  const files = (await Promise.all(sources.map((source) => translate(swc, source, target)))).flat();
  for (const { name, text } of files) if ((await textOf(name)) !== text) await replace(name, text);
  const names = new Set(files.map(({ name }) => name));
  for (const name of await readdir(target, { recursive: true }))
    if (/\.(js(\.map)?|css)$/.test(name) && !names.has(join(target, name)))
      await rm(join(target, name), { force: true });
}

async function translate(swc, { name, text }, target) {
  if (name.endsWith('.css')) return [{ name: join(target, relative(ROOT, name)), text }];
  const output = join(target, relative(ROOT, name)).replace(/\.ts$/, '.js');
  const sourceFileName = relative(dirname(output), name).replaceAll(sep, '/');
  const { code, map } = await swc.transform(text, { cwd: ROOT, filename: name, sourceFileName });
  const reference = `//# sourceMappingURL=${output.slice(output.lastIndexOf(sep) + 1)}.map\n`;
  return [
    { name: output, text: code + reference },
    { name: `${output}.map`, text: map },
  ];
}

const textOf = (name) => readFile(name, 'utf8').catch(() => undefined);

async function replace(name, text) {
  const draft = `${name}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(name), { recursive: true });
  await writeFile(draft, text);
  await rename(draft, name);
}

function explain(error) {
  if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EEXIST'].includes(error.code))
    return new BuildError(`The build is not writable: ${error.message}.`);
  // The message of the compiler ends with its own stack.
  return error.code === 'GenericFailure' ? new BuildError(error.message.split('\n\nCaused by')[0]) : error;
}
