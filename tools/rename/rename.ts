// npm run rename -- my-app
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cutMarks } from '../keep/marks.js';
import { Project, RefusedError } from '../keep/project.js';

const USAGE = `Usage: npm run rename -- NAME

Gives the project a name of lower-case words, such as my-app: package, mail sender, titles, compose file, and the beginning
of API keys. The command then removes itself.`;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const MAX_LENGTH = 40;
/** It keeps the notice of the authors. */
const LICENCE = 'LICENSE';
const ITSELF = 'tools/rename';

/** What stands in a text for the name of the template, and what replaces it. A module can have the name of its content. */
function replacementsFor(name: string): [RegExp, string][] {
  const words = name.split('-');
  const joined = words.join('');
  const title = name[0]!.toUpperCase() + words.join(' ').slice(1);
  return [
    [/nestjs-auth-modes/g, name],
    [/auth-modes(?!\.[jt]s)/g, name],
    [/auth_modes/g, words.join('_')],
    [/authmodes/g, joined],
    [/Auth modes/g, title],
    [/(?<=\\b|(?<![A-Za-z0-9_]))nk_/g, `${joined}_`],
  ];
}

function main(): void {
  const name = process.argv[2];
  if (name === '--help' || name === '-h') return console.log(USAGE);
  if (!name || name.startsWith('-')) throw new RefusedError(USAGE);
  if (!NAME.test(name) || name.length > MAX_LENGTH)
    throw new RefusedError(
      `The name must consist of lower-case words with hyphens between them, such as my-app, and have at most ${MAX_LENGTH} characters.`,
    );
  const project = new Project(process.cwd());
  project.requireCommitted();
  rmSync(join(project.root, ITSELF), { recursive: true });
  rmSync(join(project.root, 'test/template/rename.long.spec.ts'), { force: true });
  project.changeManifest(({ scripts }) => delete scripts['rename']);
  const replacements = replacementsFor(name);
  const rename = (text: string) => replacements.reduce((rest, [old, now]) => rest.replaceAll(old, now), text);
  for (const file of [...project.texts(), 'package-lock.json'])
    if (file !== LICENCE) project.change(file, (text) => rename(cutMarks(file, text, new Set(['rename']))));
  project.format();
  console.log(
    `The project is called ${name}, and API keys begin with ${name.replaceAll('-', '')}_. Next: npm run check, then commit.`,
  );
}

try {
  main();
} catch (error) {
  if (!(error instanceof RefusedError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
