import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { House } from './house.js';
import { RefusedError } from './project.js';
import { removeUnusedLocals } from './unused.js';

interface KnipReport {
  issues: { file: string; files?: unknown[]; exports?: unknown[]; types?: unknown[] }[];
}

const KNIP = ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'];
/** Files that only tests use. */
const PRODUCTION_FILES = ['--production', '--include', 'files'];
const EVERYTHING = ['--include', 'files,exports,types,dependencies'];

function knip(root: string, options: readonly string[]): KnipReport {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...KNIP, '--reporter', 'json', '--no-exit-code', ...options],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  try {
    return JSON.parse(stdout) as KnipReport;
  } catch {
    throw new Error(`knip failed:\n${stdout}${stderr}`);
  }
}

/**
 * Refuses a project that has unused code before the cut: the sweep could not tell it from what the cut leaves unused.
 * @throws RefusedError
 */
export function refuseUnused(root: string): void {
  const files = [PRODUCTION_FILES, EVERYTHING].flatMap((options) =>
    knip(root, options).issues.map(({ file }) => file),
  );
  if (files.length === 0) return;
  throw new RefusedError(
    [
      'The project has unused code, which the cut would remove too. Nothing was changed.',
      ...new Set(files.map((file) => `  ${file}`)),
      '`npm run unused` shows it. Remove it, or exclude it in knip.json.',
    ].join('\n'),
  );
}

/** Removes files, exports, packages and locals that nothing uses any more. Returns the files that it deleted. */
export function sweep(root: string): string[] {
  const deleted: string[] = [];
  for (let isFirst = true; ; isFirst = false) {
    const files = [PRODUCTION_FILES, ['--include', 'files']].flatMap((options) =>
      knip(root, options).issues.map(({ file }) => file),
    );
    const house = new House(root);
    const tests = house.files.filter((file) => file.startsWith('test/') && !files.includes(file));
    const going = [...new Set([...files, ...house.broken(tests, files)])];
    for (const file of going) rmSync(join(root, file));
    deleted.push(...going);
    const { issues } = knip(root, [...EVERYTHING, '--fix', '--fix-type', 'exports,types,dependencies']);
    const isDone = !isFirst && going.length === 0 && issues.length === 0;
    if (isDone || removeUnusedLocals(root) + going.length + issues.length === 0)
      return [...deleted, ...removeReadmes(root)];
  }
}

/** Removes the READMEs of folders of which nothing else is left. */
function removeReadmes(root: string): string[] {
  const src = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const code = src.filter((file) => file.endsWith('.ts'));
  const lonely = src.filter(
    (file) =>
      basename(file) === 'README.md' && !code.some((other) => other.startsWith(join(dirname(file), sep))),
  );
  for (const file of lonely) rmSync(join(root, 'src', file));
  return lonely.map((file) => join('src', file));
}
