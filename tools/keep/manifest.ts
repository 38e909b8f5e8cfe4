import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Manifest {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  allowScripts?: Record<string, boolean>;
}

const PACKAGES = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
/** A file that a script runs: as it is, or its build. */
const FILE = /\b((?:src|tools|examples|scripts|test)\/[\w./-]+\.[mc]?[jt]s)\b/;
const COMMAND = /commands\/run\.js ([\w:-]+)/;

/** Removes the scripts whose file or command is gone. */
export function cutScripts(root: string, manifest: Manifest, commands: ReadonlySet<string>): void {
  const isGone = (script: string) => {
    const file = FILE.exec(script)?.[1];
    const command = COMMAND.exec(script)?.[1];
    if (file && !existsSync(join(root, file)) && !existsSync(join(root, file.replace(/js$/, 'ts'))))
      return true;
    return command !== undefined && !commands.has(command);
  };
  for (const [name, script] of Object.entries(manifest.scripts))
    if (isGone(script)) delete manifest.scripts[name];
}

/** Removes optional packages by their scope. */
export function cutScope(manifest: Manifest, scope: string): void {
  for (const list of [manifest.optionalDependencies, manifest.allowScripts])
    for (const name of Object.keys(list ?? {})) if (name.startsWith(`${scope}/`)) delete list![name];
  if (Object.keys(manifest.optionalDependencies ?? {}).length === 0) delete manifest.optionalDependencies;
}

/** Packages by name, and `@scope/*` for the optional ones of a scope. */
export const packagesOf = (manifest: Manifest): string[] =>
  PACKAGES.flatMap((list) =>
    Object.keys(manifest[list] ?? {}).map((name) =>
      list === 'optionalDependencies' ? name.replace(/\/.*/, '/*') : name,
    ),
  );
